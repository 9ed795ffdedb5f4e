/** @file The heading of a page. It takes the focus when the page comes, so that reading and tabbing begin there. */
import { useEffect, useRef } from 'react'

export function PageTitle({ children, isLarge = false }: { readonly children: React.ReactNode; readonly isLarge?: boolean }): React.JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => { heading.current?.focus() }, [])
  return <h1 ref={heading} tabIndex={-1} className={`font-semibold tracking-tight ${isLarge ? 'flex items-center gap-3 text-2xl' : 'text-xl'}`}>{children}</h1>
}
