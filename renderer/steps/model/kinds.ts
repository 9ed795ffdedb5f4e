/** @file What a tensor is, told by its name: the colours of the treemap. Pure. */

/** The position is the colour; the last is for everything else. */
export const kinds = ['Attention', 'Feed-forward', 'Embedding and head', 'Norm', 'Convolution', 'Other'] as const
export type Kind = (typeof kinds)[number]

const patterns: readonly (readonly [Kind, RegExp])[] = [
  ['Norm', /norm|(^|[._])ln_?\d?([._]|$)/i],
  ['Embedding and head', /embed|wte|wpe|lm_head|token_embd|^output\.weight|vocab/i],
  ['Attention', /attn|attention|self_att|[._](q|k|v|o|qkv)_?(proj)?([._]|$)/i],
  ['Feed-forward', /mlp|ffn|feed_forward|gate|up_proj|down_proj|[._]fc\d?|experts/i],
  ['Convolution', /conv/i],
]

export function kindOf(name: string): Kind {
  return patterns.find(([, pattern]) => pattern.test(name))?.[0] ?? 'Other'
}

/** The block a tensor belongs to: "block 3", or what it is where it belongs to none. */
export function groupOf(name: string): string {
  const number = /(?:layers|blk|blocks|h|layer|stages)[._](\d+)/.exec(name)?.[1]
  return number === undefined ? kindOf(name) : `block ${number}`
}
