import { expect, test } from 'vitest'
import { chatText } from './chat.ts'
import { checkTokenizer } from './tokenizer-file.ts'
import { createTokenizer, type Tokenizer } from './tokenizer.ts'

function withTemplate(template: string | undefined): Tokenizer {
  const vocabulary = { '<s>': 0, '</s>': 1, a: 2 }
  return createTokenizer(checkTokenizer('t.json', { model: { type: 'BPE', vocab: vocabulary, merges: [] } }, { bos_token: '<s>', eos_token: { content: '</s>' }, chat_template: template }))
}
const chatml = "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'robot' %}{{ raise_exception('no robots') }}{% endif %}<|{{ m.role }}|>{{ m.content | trim }}{{ eos_token }}\n{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"

test('renders messages with special tokens and the prompt', () => {
  const tokenizer = withTemplate(chatml)
  const messages = [{ role: 'user', content: ' Hi ' }, { role: 'assistant', content: 'Hello' }]
  expect(chatText(tokenizer, messages)).toBe('<s><|user|>Hi</s>\n<|assistant|>Hello</s>\n')
  expect(chatText(tokenizer, messages.slice(0, 1), true)).toBe('<s><|user|>Hi</s>\n<|assistant|>')
})

test('without a template the contents are joined', () => {
  expect(chatText(withTemplate(undefined), [{ role: 'user', content: 'a' }, { role: 'x', content: 'b' }])).toBe('a\nb')
})

test('a template that cannot be read, messages it refuses', () => {
  expect(() => chatText(withTemplate('{% for %}'), [])).toThrow('t.json: chat_template: found a template that cannot be read')
  expect(() => chatText(withTemplate(chatml), [{ role: 'robot', content: '' }])).toThrow('found messages it refuses (no robots)')
})
