/**
 * @file Every command of the window: the menu, the buttons, the palette and the list of shortcuts are all made from this
 * table. `Mod` is Ctrl, on macOS Cmd. What a command does, and when it can, is in renderer/commands.
 */

export interface CommandFields {
  readonly label: string
  readonly menu: 'File' | 'Edit' | 'View' | 'Go' | 'Run' | 'Help'
  readonly shortcut?: string
}

export const commands = {
  'model.open': { label: 'Open model…', menu: 'File', shortcut: 'Mod+O' },
  'model.openFolder': { label: 'Open model folder…', menu: 'File', shortcut: 'Mod+Shift+O' },
  'model.download': { label: 'Download from the Hub…', menu: 'File' },
  'model.example': { label: 'Try the example', menu: 'File' },
  'data.stop': { label: 'Stop reading data', menu: 'File', shortcut: 'Escape' },
  'project.close': { label: 'Close project', menu: 'File', shortcut: 'Mod+Shift+W' },
  'settings.open': { label: 'Settings', menu: 'File', shortcut: 'Mod+,' },
  'plan.undo': { label: 'Undo change of plan', menu: 'Edit', shortcut: 'Mod+Z' },
  'plan.redo': { label: 'Redo change of plan', menu: 'Edit', shortcut: 'Mod+Shift+Z' },
  'command.show': { label: 'Show as command', menu: 'Edit', shortcut: 'Mod+Shift+C' },
  'palette.open': { label: 'All commands…', menu: 'View', shortcut: 'Mod+K' },
  'theme.toggle': { label: 'Switch between light and dark', menu: 'View', shortcut: 'Mod+Shift+L' },
  'details.toggle': { label: 'Show or hide details', menu: 'View', shortcut: 'Mod+I' },
  'go.model': { label: 'Go to Model', menu: 'Go', shortcut: 'Mod+1' },
  'go.data': { label: 'Go to Data', menu: 'Go', shortcut: 'Mod+2' },
  'go.sensitivity': { label: 'Go to Sensitivity', menu: 'Go', shortcut: 'Mod+3' },
  'go.budget': { label: 'Go to Bit budget', menu: 'Go', shortcut: 'Mod+4' },
  'go.run': { label: 'Go to Run', menu: 'Go', shortcut: 'Mod+5' },
  'go.compare': { label: 'Go to Compare', menu: 'Go', shortcut: 'Mod+6' },
  'go.export': { label: 'Go to Export', menu: 'Go', shortcut: 'Mod+7' },
  'go.queue': { label: 'Go to Queue', menu: 'Go', shortcut: 'Mod+8' },
  'region.next': { label: 'Next region of the window', menu: 'Go', shortcut: 'F6' },
  'difference.next': { label: 'Next difference between texts', menu: 'Go', shortcut: 'F7' },
  'difference.previous': { label: 'Previous difference between texts', menu: 'Go', shortcut: 'Shift+F7' },
  'step.primary': { label: 'Do the step’s main action', menu: 'Run', shortcut: 'Mod+Enter' },
  'job.pause': { label: 'Pause the running job', menu: 'Run', shortcut: 'Mod+Shift+P' },
  'job.cancel': { label: 'Cancel the running job', menu: 'Run' },
  'help.shortcuts': { label: 'Keyboard shortcuts', menu: 'Help', shortcut: 'F1' },
  'help.guide': { label: 'Guide on the web', menu: 'Help' },
  'help.logs': { label: 'Show log folder', menu: 'Help' },
} as const satisfies Record<string, CommandFields>
export type CommandId = keyof typeof commands
