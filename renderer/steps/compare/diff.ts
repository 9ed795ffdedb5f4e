/** @file Where two texts differ, word by word: longest common subsequence. Pure. */

export interface Piece { readonly text: string; readonly isDifferent: boolean }

/** Generated texts are short; beyond this the table would be large and the reading endless. */
const maxWords = 1000

/** `text` cut into pieces, each the same as in `other` or not. */
export function differences(text: string, other: string): Piece[] {
  const [a, b] = [words(text), words(other)]
  const width = b.length + 1
  const common = new Uint16Array((a.length + 1) * width)
  const at = (i: number, j: number): number => common[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  }
  const pieces: Piece[] = []
  const add = (word: string, isDifferent: boolean): void => {
    const last = pieces.at(-1)
    if (last?.isDifferent === isDifferent) pieces[pieces.length - 1] = { text: last.text + word, isDifferent }
    else pieces.push({ text: word, isDifferent })
  }
  let j = 0
  for (const [i, word] of a.entries()) {
    while (j < b.length && b[j] !== word && at(i, j + 1) >= at(i + 1, j)) j++
    const isSame = j < b.length && b[j] === word
    if (isSame) j++
    add(word, !isSame)
  }
  return pieces
}

/** Words with the space before them. */
function words(text: string): string[] {
  return (text.match(/\s*\S+|\s+$/g) ?? []).slice(0, maxWords)
}
