/** @file A dialog over the page: focus goes in and comes back, Escape closes. */
import { Dialog } from '@base-ui/react/dialog'
import { IconButton } from './button.tsx'

export function Modal({ title, isOpen, onClose, children, width = 'max-w-xl', isTitleHidden = false, isText = false }: {
  readonly title: string; readonly isOpen: boolean; readonly onClose: () => void; readonly children: React.ReactNode; readonly width?: string; readonly isTitleHidden?: boolean
  /** Nothing in it takes the focus: the text itself does, so that the keyboard can scroll it. */
  readonly isText?: boolean
}): React.JSX.Element {
  return (
    <Dialog.Root open={isOpen} onOpenChange={(open) => { if (!open) onClose() }}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-[black]/35" />
        <Dialog.Popup className={`fixed top-[12vh] left-1/2 z-50 flex max-h-[76vh] w-[calc(100vw-2rem)] -translate-x-1/2 flex-col overflow-hidden rounded-md border border-line bg-surface-2 shadow-float ${width}`}>
          <div className={isTitleHidden ? 'sr-only' : 'flex items-center justify-between border-b border-line py-2 pr-2 pl-4'}>
            <Dialog.Title className="text-lg font-semibold">{title}</Dialog.Title>
            {!isTitleHidden && <IconButton icon="close" label="Close" onClick={onClose} />}
          </div>
          <div className="min-h-0 overflow-auto -outline-offset-2" tabIndex={isText ? 0 : undefined}>{children}</div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
