/** @file Where two texts differ, word by word: longest common subsequence. Pure. */

export interface Piece { readonly text: string; readonly isDifferent: boolean }

/** Generated texts are short; beyond this the table would be large and the reading endless. */
const maxWords = 1000

/** `text` cut into pieces, each the same as in `other` or not. */
export function differences(text: string, other: string): Piece[] {
  const [a, b] = [words(text), words(other)]
  const width = b.length + 1
  const common = new Uint16Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) common[i * width + j] = a[i] === b[j] ? common[(i + 1) * width + j + 1] + 1 : Math.max(common[(i + 1) * width + j], common[i * width + j + 1])
  }
  const pieces: Piece[] = []
  const add = (word: string, isDifferent: boolean): void => {
    const last = pieces.at(-1)
    if (last?.isDifferent === isDifferent) pieces[pieces.length - 1] = { text: last.text + word, isDifferent }
    else pieces.push({ text: word, isDifferent })
  }
  for (let i = 0, j = 0; i < a.length;) {
    if (j < b.length && a[i] === b[j]) {
      add(a[i++], false)
      j++
    } else if (j < b.length && common[i * width + j + 1] >= common[(i + 1) * width + j]) j++
    else add(a[i++], true)
  }
  return pieces
}

/** Words with the space before them. */
function words(text: string): string[] {
  return (text.match(/\s*\S+|\s+$/g) ?? []).slice(0, maxWords)
}
