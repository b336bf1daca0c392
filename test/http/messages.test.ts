import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsOf, languageFaults } from '../../.ci/languages.ts'
import { chosenLanguage, LANGUAGES, languageCookie } from '../../src/http/languages.ts'
import { createMessages } from '../../src/http/messages.ts'

const english = {
  hello: 'Hello',
  wait: 'Wait {time}',
  only: 'English only',
  codes: '{n, plural, one {# code} other {# codes}} left, {who}',
}
const texts: Readonly<Record<string, Record<string, string>>> = {
  de: { hello: 'Hallo', wait: '{time} warten' },
  ar: { hello: 'مرحبا' },
  pl: {
    codes: '{n, plural, one {# kod} few {# kody} many {# kodów} other {# kodu}}, {who}',
  },
}
const read: string[] = []
const messages = createMessages({ en: english }, (language) => {
  read.push(language)
  return texts[language] ?? {}
})
const said = (accept: string, cookie?: string) => {
  const { language, direction, t } = messages.negotiate({
    headers: { 'accept-language': accept, cookie },
  })
  return { language, direction, hello: t('hello') }
}

test('the language is the one chosen, else the best of those that the browser accepts, else English', () => {
  assert.deepEqual(said('de'), { language: 'de', direction: 'ltr', hello: 'Hallo' })
  assert.equal(said('xx, de-AT;q=0.5').language, 'de')
  assert.equal(said('de;q=0.1, ar-EG').direction, 'rtl')
  assert.equal(said('de;q=0, *').language, 'en')
  assert.equal(said('').language, 'en')
  assert.equal(said('de', 'a=b; vestibule_language=ar').language, 'ar')
  for (const bad of ['', 'xx', '../../package', '__proto__', 'constructor', 'DE'])
    assert.equal(said('de', `vestibule_language=${bad}`).language, 'de', bad)
  assert.equal(said('__proto__, constructor, toString').language, 'en')
})

test('a language is read once, and a text that it lacks is said in English', () => {
  said('de')
  assert.equal(read.filter((one) => one === 'de').length, 1)
  assert.equal(
    messages.negotiate({ headers: { 'accept-language': 'de' } }).t('only'),
    'English only',
  )
})

test('spans and plurals are said in the language', () => {
  const speak = (language: string) =>
    messages.negotiate({ headers: { 'accept-language': language } }).t
  assert.equal(speak('en')('wait', { time: { milliseconds: 5_400_000 } }), 'Wait 1 hour 30 minutes')
  assert.equal(
    speak('de')('wait', { time: { milliseconds: 5_400_000 } }),
    '1 Stunde 30 Minuten warten',
  )
  assert.equal(speak('en')('codes', { n: 1, who: 'Ann' }), '1 code left, Ann')
  assert.deepEqual(
    [1, 3, 5].map((n) => speak('pl')('codes', { n, who: '{n}' })),
    ['1 kod, {n}', '3 kody, {n}', '5 kodów, {n}'],
  )
})

test('what is set is what is read', () => {
  for (const language of Object.keys(LANGUAGES)) {
    const cookie = languageCookie(language, '/auth', true)
    assert.equal(chosenLanguage(cookie.split(';', 1)[0]), language)
    assert.match(cookie, /; Path=\/auth\/; HttpOnly; Secure; SameSite=Lax$/)
  }
})

test('every language fits the English texts, and the check sees what does not', () => {
  assert.deepEqual(languageFaults(), [])
  const faults = faultsOf('de', { hello: ' ', wait: '{tim} warten', gone: 'x' }, english)
  assert.equal(faults.length, 3)
  assert.deepEqual(faultsOf('pl', texts['pl'] ?? {}, english), [])
})
