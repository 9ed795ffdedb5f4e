/** @file Connects the page: main's events, the keyboard, files dropped anywhere. Called once, at the root. */
import { useEffect, useState } from 'react'
import type { Sequenced } from '../../electron/contract/api.ts'
import { call } from '../state/call.ts'
import { mirrorEvent, mirrorSnapshot, useApp } from '../state/store.ts'
import { openDropped, openHandle } from './actions.ts'
import { commandOf } from './shortcuts.ts'
import { runCommand } from './table.ts'

/** Mirrors main: a snapshot first, then events; a gap asks for a new snapshot. */
export function useMain(): void {
  useEffect(() => {
    const start = async (): Promise<void> => { mirrorSnapshot(await call('app.start')) }
    const hear = (event: Sequenced): void => {
      if (!mirrorEvent(event)) void start()
      if (event.type === 'command') runCommand(event.command)
      if (event.type === 'opened') void openHandle(event.file)
    }
    const stop = window.halftone.onEvent(hear)
    void start()
    return stop
  }, [])
}

const isTextField = (target: EventTarget | null): boolean => target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && target.type === 'text')

export function useShortcuts(): void {
  useEffect(() => {
    const hear = (event: KeyboardEvent): void => {
      const command = commandOf(event, useApp.getState().app?.platform === 'darwin', isTextField(event.target))
      if (command === undefined || event.defaultPrevented) return
      if (runCommand(command) || event.key !== 'Escape') event.preventDefault() // Escape closes other things too
    }
    window.addEventListener('keydown', hear)
    return () => { window.removeEventListener('keydown', hear) }
  }, [])
}

/** True while a file is held over the window. A drop would otherwise make the window go to the file. */
export function useDrop(): boolean {
  const [isOver, setIsOver] = useState(false)
  useEffect(() => {
    const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false
    const over = (event: DragEvent): void => {
      event.preventDefault()
      setIsOver(hasFiles(event))
    }
    const leave = (event: DragEvent): void => { if (event.relatedTarget === null) setIsOver(false) }
    const drop = (event: DragEvent): void => {
      event.preventDefault()
      setIsOver(false)
      const file = event.dataTransfer?.files.item(0)
      if (file) void openDropped(file)
    }
    window.addEventListener('dragenter', over)
    window.addEventListener('dragover', over)
    window.addEventListener('dragleave', leave)
    window.addEventListener('drop', drop)
    return () => {
      window.removeEventListener('dragenter', over)
      window.removeEventListener('dragover', over)
      window.removeEventListener('dragleave', leave)
      window.removeEventListener('drop', drop)
    }
  }, [])
  return isOver
}
