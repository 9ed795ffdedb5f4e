/** @file Limits of the readers. A model file is hostile until its header has been checked: nothing is allocated or looped over before its size has met one of these. */

/** Safetensors header: the format's own implementation refuses more than 100 MB; 1 KB for each of 25,000 tensors fits. */
export const HEADER_BYTES_MAX = 25_000_000
/** Tensors in one checkpoint: mixtures of experts stored one by one come to some 50,000. */
export const TENSORS_MAX = 1 << 17
/** Bytes in a tensor's name: the longest of published models are below 200. */
export const NAME_BYTES_MAX = 512
/** Dimensions of a safetensors tensor: video convolutions have 5. */
export const DIMENSIONS_MAX = 8
/** Dimensions of a GGUF tensor: ggml has 4. */
export const GGUF_DIMENSIONS_MAX = 4
/** Key-values of a GGUF file: published files have about 50. */
export const KEY_VALUES_MAX = 1 << 14
/** Length of a metadata key: the limit the GGUF specification gives. */
export const KEY_BYTES_MAX = 65_535
/** All key-values of a GGUF file together: a vocabulary of 262,144 with merges takes 12 MB. */
export const METADATA_BYTES_MAX = 256 << 20
/** Elements of one metadata array: the largest vocabularies and merge lists have below 600,000. */
export const ARRAY_ELEMENTS_MAX = 1 << 22
/** Arrays inside arrays: no known file has them; one level is harmless. */
export const ARRAY_DEPTH_MAX = 2
/** Alignment of GGUF tensor data: 32 everywhere; a page is the largest that makes sense. */
export const ALIGNMENT_MAX = 65_536
/** Shards of one checkpoint: the largest published models have below 200. */
export const SHARDS_MAX = 4096
/** JSON side files (config.json, tokenizer_config.json, the shard index): the index of 100,000 tensors takes 10 MB. */
export const JSON_BYTES_MAX = 32 << 20
/** tokenizer.json: the largest published ones take 35 MB. */
export const TOKENIZER_BYTES_MAX = 128 << 20
/** Nesting of a JSON side file: real ones stay below 10. */
export const JSON_DEPTH_MAX = 64
/** Entries of a vocabulary: the largest published ones have 262,144. */
export const VOCABULARY_MAX = 1 << 21
/** Merges of a BPE tokenizer: the largest published ones have about 580,000. */
export const MERGES_MAX = 1 << 22
/** Length of a splitting pattern in a tokenizer file: real ones are below 1,000 characters; long ones can be made to run for ever. */
export const PATTERN_LENGTH_MAX = 4096
/** Chat templates are programs: real ones are below 20,000 characters, long ones could be made to run for ever. */
export const TEMPLATE_BYTES_MAX = 200_000
/** A text file read as one document: V8's longest string is about 512 MB. */
export const TEXT_BYTES_MAX = 256 << 20
/** One row of a data file: longer ones are a file without line ends. */
export const ROW_BYTES_MAX = 32 << 20
/** Files of a data folder. */
export const DATA_FILES_MAX = 10_000
/** Tokens of a text that windows are chosen from: some 60 MB of English, a few minutes of tokenizing. */
export const TOKENS_MAX = 1 << 24
