import { script } from './script.js';

/**
 * For bash 4.4 and later, whose PS0 is printed before each command: no DEBUG trap is needed, so none is
 * lost. The hook goes before what is in PROMPT_COMMAND, since it wants the exit status, and hands that on.
 * A command that history did not take, as one behind a blank, is marked without its text.
 */
export const BASH = script`
# Holdfast: tells the terminal the working directory, and where commands begin and end.
if [[ $- == *i* && $\{__holdfast_shell-} != "$$" && $\{TERM-} != dumb ]] &&
  shopt -q promptvars && ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)); then
  __holdfast_shell=$$
  __holdfast_ran=0
  __holdfast_history=

  # Leaves $1 in REPLY as it may stand in a sequence.
  __holdfast_encode() {
    local LC_ALL=C
    REPLY=$\{1//'%'/'%25'}
    REPLY=$\{REPLY//';'/'%3B'}
    REPLY=$\{REPLY//' '/'%20'}
    REPLY=$\{REPLY//'#'/'%23'}
    REPLY=$\{REPLY//'?'/'%3F'}
    REPLY=$\{REPLY//$'\n'/'%0A'}
    REPLY=$\{REPLY//$'\t'/'%09'}
    REPLY=$\{REPLY//[[:cntrl:]]/}
  }

  # The newest entry of the history, with its number.
  __holdfast_newest() {
    HISTTIMEFORMAT= builtin history 1 2>/dev/null
  }

  # Runs in a process of its own: nothing but what it prints stays of it.
  __holdfast_start() {
    local REPLY= line
    line=$(__holdfast_newest)
    if [[ $line != "$__holdfast_history" && $line =~ ^[[:space:]]*[0-9]+[*]?[[:space:]]+(.*)$ ]]; then
      __holdfast_encode "$\{BASH_REMATCH[1]:0:1024}"
    fi
    builtin printf '\e]133;C;aid=%s%s\a' "$__holdfast_shell" "$\{REPLY:+;cmdline_url=$REPLY}"
  }

  __holdfast_prompt() {
    local status=$? REPLY=
    if ((__holdfast_ran)); then
      __holdfast_ran=0
      builtin printf '\e]133;D;%s;aid=%s\a' "$status" "$__holdfast_shell"
    fi
    __holdfast_encode "$PWD"
    builtin printf '\e]7;file://%s%s\a\e]133;A;aid=%s\a' "$HOSTNAME" "$REPLY" "$__holdfast_shell"
    __holdfast_history=$(__holdfast_newest)
    return "$status"
  }

  # The sum is done in this shell, and leaves nothing to be printed.
  PS0='$\{__holdfast_shell:((__holdfast_ran=1)):0}$(__holdfast_start)'$\{PS0-}
  if [[ $(declare -p PROMPT_COMMAND 2>/dev/null) == 'declare -a'* ]]; then
    PROMPT_COMMAND=(__holdfast_prompt "$\{PROMPT_COMMAND[@]}")
  else
    PROMPT_COMMAND=__holdfast_prompt$\{PROMPT_COMMAND:+$'\n'$PROMPT_COMMAND}
  fi
fi
`;
