/**
 * @file electron-builder: installers from the folder Forge has packaged (`--prepackaged`). It packs nothing itself; what is in
 * the app, its fuses and its signature are decided by `forge.config.ts`.
 */
import type { Configuration } from 'electron-builder'
import { fileAssociations } from './documents.ts'
import { electronVersion } from './layout.ts'

const config: Configuration = {
  appId: 'app.halftone',
  productName: 'Halftone',
  electronVersion,
  artifactName: '${productName}-${version}-${os}-${arch}.${ext}',
  directories: { output: 'out/installers', buildResources: 'assets/icons' },
  npmRebuild: false,
  publish: null,
  fileAssociations,
  linux: {
    target: ['AppImage', 'deb'], executableName: 'halftone', category: 'Development', icon: 'assets/icons/icon.png', synopsis: 'Compress neural networks on the machine in front of you',
  },
  win: { target: ['nsis'], icon: 'assets/icons/icon.ico' },
  nsis: { oneClick: false, perMachine: false, allowToChangeInstallationDirectory: true, deleteAppDataOnUninstall: false },
  mac: { target: ['dmg'], icon: 'assets/icons/icon.icns', identity: null }, // the app is signed already
  dmg: { sign: process.env.CSC_NAME !== undefined },
}
export default config
