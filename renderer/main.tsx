/** @file Starts the page. */
import { createRoot } from 'react-dom/client'
import './styles.css'

const root = document.getElementById('root')
if (root) createRoot(root).render(<main data-app-state="ready"><h1>Halftone</h1></main>)
