/** @file Asked before something is deleted from the disk, and before nothing else. */
import { Button } from './button.tsx'
import { Modal } from './modal.tsx'

export interface Asked { readonly title: string; readonly text: string; readonly act: string; readonly run: () => void }

export function Confirm({ asked, onClose }: { readonly asked: Asked | null; readonly onClose: () => void }): React.JSX.Element {
  return (
    <Modal title={asked?.title ?? ''} isOpen={asked !== null} onClose={onClose}>
      <div className="flex flex-col gap-4 p-4">
        <p>{asked?.text}</p>
        <div className="flex flex-wrap justify-end gap-3">
          <Button onClick={onClose}>Keep it</Button>
          <Button look="danger" icon="trash" onClick={() => { asked?.run(); onClose() }}>{asked?.act}</Button>
        </div>
      </div>
    </Modal>
  )
}
