/** @file Conversations as the text a model was trained on, by the Jinja template that comes with its tokenizer. */
import { Template } from '@huggingface/jinja'
import { AppError } from '../../contract/errors.ts'
import { TEMPLATE_BYTES_MAX } from './limits.ts'
import type { Tokenizer } from './tokenizer.ts'
import { specialToken } from './tokenizer-file.ts'

export interface Message {
  readonly role: string
  readonly content: string
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

/**
 * The text of a conversation; with `addPrompt` it ends where the model is to answer. Without a template the contents are
 * joined line by line.
 * @throws AppError bad-tokenizer where the template cannot be used, bad-data where it refuses the messages
 */
export function chatText(tokenizer: Tokenizer, messages: readonly Message[], addPrompt = false): string {
  const { chatTemplate, file } = tokenizer
  if (chatTemplate === null) return messages.map(({ content }) => content).join('\n')
  const where = `${file.where}: chat_template`
  if (chatTemplate.length > TEMPLATE_BYTES_MAX) throw new AppError('bad-tokenizer', `${where}: found ${chatTemplate.length} characters, expected at most ${TEMPLATE_BYTES_MAX}`)
  let template: Template
  try {
    template = new Template(chatTemplate)
  } catch (cause) {
    throw new AppError('bad-tokenizer', `${where}: found a template that cannot be read (${reason(cause)}), expected Jinja`, { hint: 'Use the tokenizer_config.json that came with the model.', cause })
  }
  try {
    return template.render({
      messages: messages.map(({ role, content }) => ({ role, content })),
      add_generation_prompt: addPrompt,
      bos_token: specialToken(file.config, 'bos_token') ?? '',
      eos_token: specialToken(file.config, 'eos_token') ?? '',
    })
  } catch (cause) {
    throw new AppError('bad-data', `${where}: found messages it refuses (${reason(cause)}), expected a conversation as the model knows it`, { hint: 'Check roles and their order: usually an optional "system", then "user" and "assistant" in turn.', cause })
  }
}
