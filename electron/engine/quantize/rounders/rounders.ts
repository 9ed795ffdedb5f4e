/** @file The table of rounders. */
import type { Recipe } from '../../../contract/recipe.ts'
import { gptq } from './gptq.ts'
import { nearest } from './nearest.ts'
import { search } from './search.ts'
import type { Rounder } from './rounder.ts'

export const rounders = { nearest, search, gptq } satisfies Record<Recipe['rounder'], Rounder>
