import { script } from './script.js';

/** For zsh 5 and later, by the hooks that it has for this; each hook finds the exit status as it was. */
export const ZSH = script`
# Holdfast: tells the terminal the working directory, and where commands begin and end.
if [[ -o interactive && "$\{__holdfast_shell-}" != "$$" && "$\{TERM-}" != dumb ]]; then
  typeset -g __holdfast_shell=$$ __holdfast_ran=0

  # Leaves $1 in REPLY as it may stand in a sequence.
  __holdfast_encode() {
    emulate -L zsh
    REPLY=$\{1//\%/%25}
    REPLY=$\{REPLY//;/%3B}
    REPLY=$\{REPLY// /%20}
    REPLY=$\{REPLY//\#/%23}
    REPLY=$\{REPLY//\?/%3F}
    REPLY=$\{REPLY//$'\n'/%0A}
    REPLY=$\{REPLY//$'\t'/%09}
    REPLY=$\{REPLY//[[:cntrl:]]/}
  }

  __holdfast_preexec() {
    emulate -L zsh
    local REPLY=
    # A line behind a blank that history shall not have is nobody's business.
    if [[ ! -o histignorespace || $1 != ' '* ]]; then
      __holdfast_encode "$\{1[1,1024]}"
    fi
    __holdfast_ran=1
    builtin printf '\e]133;C;aid=%s%s\a' "$__holdfast_shell" "$\{REPLY:+;cmdline_url=$REPLY}"
  }

  __holdfast_precmd() {
    local -i holdfast_status=$?
    emulate -L zsh
    local REPLY=
    if (( __holdfast_ran )); then
      __holdfast_ran=0
      builtin printf '\e]133;D;%s;aid=%s\a' "$holdfast_status" "$__holdfast_shell"
    fi
    __holdfast_encode "$PWD"
    builtin printf '\e]7;file://%s%s\a\e]133;A;aid=%s\a' "$HOST" "$REPLY" "$__holdfast_shell"
  }

  builtin autoload -Uz add-zsh-hook
  add-zsh-hook preexec __holdfast_preexec
  add-zsh-hook precmd __holdfast_precmd
fi
`;
