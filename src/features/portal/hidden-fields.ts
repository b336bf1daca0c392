import { html } from 'ghtml'
import { type Carried, carriedFields } from './carried.ts'

/** What is carried, as hidden fields of a form. */
export const hiddenFields = (carried: Carried): string =>
  Object.entries(carriedFields(carried))
    .map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)
    .join('')
