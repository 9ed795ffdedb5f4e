/** @file Starts the page. */
import { CSPProvider } from '@base-ui/react/csp-provider'
import { createRoot } from 'react-dom/client'
import { App } from './frame/app.tsx'
import './styles.css'

const root = document.getElementById('root')
// The page's policy forbids style elements; what they would do is in styles.css.
if (root) createRoot(root).render(<CSPProvider disableStyleElements><App /></CSPProvider>)
