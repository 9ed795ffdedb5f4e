"""Makes tokens.json: what the tokenizers and sentencepiece packages make of texts, for the sample model's tokenizer, for the splittings
that GGUF names, and for a small SentencePiece vocabulary (with the key-values that a GGUF file of it has)."""
import hashlib
import io
import json
from pathlib import Path

import numpy as np
import sentencepiece
from tokenizers import Tokenizer, pre_tokenizers

here = Path(__file__).parent
sample = here.parents[3] / "assets" / "sample-model"
texts = [
    "The quick brown fox jumps over the lazy dog.",
    "  two spaces, a tab\tand\n\n\n  line ends \n",
    "I'll say we've seen 12345 things, it's 3.14 o'clock: DON'T!",
    "naïve café — “quotes” … 漢字かな交じり文。Привет, мир! 👩‍🚀🎉",
    "a<|endoftext|>b <|endoftext|>",
    "code: if (x == 0) { return foo[i++]; }  // done\r\n",
    " leading space and trailing space ",
    "ẛ̣ e\u0301 \u00a0nbsp ￼",
    "",
]


def sample_model():
    tokenizer = Tokenizer.from_file(str(sample / "tokenizer.json"))
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    validation = np.array(encode((sample / "validation.txt").read_text()), dtype=np.int32)
    return {
        "ids": [encode(text) for text in texts],
        "decoded": [tokenizer.decode(encode(text), skip_special_tokens=False) for text in texts],
        "validation": {"count": len(validation), "sha256": hashlib.sha256(validation.tobytes()).hexdigest()},
    }


def split(pattern):
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
# As published in the tokenizer.json of the models that the names stand for.
splittings = {
    "gpt-2": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    "llama-bpe": {"type": "Sequence", "pretokenizers": [split(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"), byte_level]},
    "qwen2": {"type": "Sequence", "pretokenizers": [split(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"), byte_level]},
    "smollm": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}]},
    "tekken": {"type": "Sequence", "pretokenizers": [split(r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"), byte_level]},
    "gpt-4o": {"type": "Sequence", "pretokenizers": [split(r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"), byte_level]},
    "bloom": {"type": "Sequence", "pretokenizers": [split(r" ?[^(\s|[.,!?…。，、।۔،])]+"), byte_level]},
    "falcon": {"type": "Sequence", "pretokenizers": [{"type": "Punctuation", "behavior": "Contiguous"}, {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}, {"type": "Digits", "individual_digits": False}, split("[0-9][0-9][0-9]")]},
}


def words(description):
    """Splits as tokenizers does: the description is put into a tokenizer to be parsed."""
    frame = json.loads(Tokenizer.from_file(str(sample / "tokenizer.json")).to_str())
    frame["pre_tokenizer"] = description
    splitter = Tokenizer.from_str(json.dumps(frame)).pre_tokenizer
    return [[word for word, _ in splitter.pre_tokenize_str(text)] for text in texts]


def sentence_piece():
    model = io.BytesIO()
    lines = (sample / "calibration.txt").read_text()[:60000].split("\n")
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines), model_writer=model, model_type="bpe", vocab_size=700, byte_fallback=True, character_coverage=0.995,
                                             normalization_rule_name="identity", remove_extra_whitespaces=False, user_defined_symbols=["<tag>"], minloglevel=2, num_threads=1)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    size = processor.get_piece_size()
    kind = lambda i: 2 if processor.is_unknown(i) else 3 if processor.is_control(i) else 6 if processor.is_byte(i) else 5 if processor.is_unused(i) else 4 if processor.id_to_piece(i) == "<tag>" else 1
    own = [text.replace("<|endoftext|>", "<tag>") for text in texts]
    return {
        "tokens": [processor.id_to_piece(i) for i in range(size)],
        "scores": [processor.get_score(i) for i in range(size)],
        "types": [kind(i) for i in range(size)],
        "texts": own,
        "ids": [processor.encode(text) for text in own],
    }


(here / "tokens.json").write_text(json.dumps({
    "texts": texts,
    "sample": sample_model(),
    "splittings": {name: {"json": description, "words": words(description)} for name, description in splittings.items()},
    "sentencePiece": sentence_piece(),
}, ensure_ascii=False))
