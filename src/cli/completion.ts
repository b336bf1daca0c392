/** `vestibule completion bash|zsh|fish`: a script made from the commands as they are, for the shell to read. */
import { Argument, type Command } from 'commander'
import type { Configure } from './invocation.ts'

interface Word {
  readonly text: string
  readonly about: string
}

/** What may follow a command: `path` is its words after `vestibule`. */
interface Place {
  readonly path: readonly string[]
  readonly commands: readonly Word[]
  readonly options: readonly Word[]
}

const SHELLS = { bash, zsh, fish } as const

export const configure: Configure = (command, cli) => {
  command
    .addArgument(new Argument('<shell>', 'whose script').choices(Object.keys(SHELLS)))
    .addHelpText(
      'after',
      `
bash: source <(vestibule completion bash)
zsh:  source <(vestibule completion zsh), after compinit
fish: vestibule completion fish | source`,
    )
    .action(async (shell: keyof typeof SHELLS) => {
      cli.print(SHELLS[shell](placesOf(await cli.commands(), [])))
    })
}

function placesOf(command: Command, path: readonly string[]): Place[] {
  const help = command.createHelp()
  const children = help.visibleCommands(command).filter((child) => child.name() !== 'help')
  const place: Place = {
    path,
    commands: children.map((child) => ({ text: child.name(), about: child.description() })),
    options: help
      .visibleOptions(command)
      .flatMap(({ long, description }) =>
        typeof long === 'string' ? [{ text: long, about: description }] : [],
      ),
  }
  return [place, ...children.flatMap((child) => placesOf(child, [...path, child.name()]))]
}

const wordsOf = ({ commands, options }: Place): readonly Word[] => [...commands, ...options]
/** Between single quotes of any of the shells. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
const pathOf = ({ path }: Place): string => quoted(path.join(' '))

/** Which words of the line so far are commands: the case arms of every place but the first. */
const arms = (places: readonly Place[]): string => places.slice(1).map(pathOf).join('|')

function bash(places: readonly Place[]): string {
  return `# vestibule completion bash
_vestibule() {
  local at='' next word words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${at:+$at }$word"
    case "$next" in ${arms(places)}) at="$next" ;; esac
  done
  case "$at" in
${places
  .map(
    (place) =>
      `    ${pathOf(place)}) words=${quoted(
        wordsOf(place)
          .map(({ text }) => text)
          .join(' '),
      )} ;;`,
  )
  .join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _vestibule vestibule
`
}

function zsh(places: readonly Place[]): string {
  const described = (place: Place): string =>
    wordsOf(place)
      .map(({ text, about }) => quoted(`${text.replaceAll(':', '\\:')}:${about}`))
      .join(' ')
  return `#compdef vestibule
# vestibule completion zsh
_vestibule() {
  local at='' next word
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
    next="\${at:+$at }$word"
    case "$next" in ${arms(places)}) at="$next" ;; esac
  done
  case "$at" in
${places.map((place) => `    ${pathOf(place)}) found=(${described(place)}) ;;`).join('\n')}
  esac
  _describe vestibule found || _files
}
compdef _vestibule vestibule
`
}

function fish(places: readonly Place[]): string {
  const lines = places.flatMap((place) => {
    const here = `-n ${quoted(`test (__vestibule_at) = ${JSON.stringify(place.path.join(' '))}`)}`
    return [
      ...place.commands.map(
        ({ text, about }) => `complete -c vestibule ${here} -f -a ${text} -d ${quoted(about)}`,
      ),
      ...place.options.map(
        ({ text, about }) =>
          `complete -c vestibule ${here} -l ${text.slice(2)} -d ${quoted(about)}`,
      ),
    ]
  })
  return `# vestibule completion fish
function __vestibule_at
  set -l at ''
  for word in (commandline -opc)[2..-1]
    set -l next (string trim -- "$at $word")
    switch "$next"
      case ${places.slice(1).map(pathOf).join(' ')}
        set at "$next"
    end
  end
  echo "$at"
end
${lines.join('\n')}
`
}
