import { script } from './script.js';

/** For fish 3; from 4.0 on fish marks its commands by itself, and there is nothing to add. */
export const FISH = script`
# Holdfast: tells the terminal the working directory, and where commands begin and end.
if status is-interactive; and not functions -q __holdfast_preexec; and test "$TERM" != dumb
  and test (string split . -- $version)[1] -lt 4
    set -g __holdfast_shell $fish_pid

    function __holdfast_preexec --on-event fish_preexec
        printf '\e]133;C;aid=%s;cmdline_url=%s\a' $__holdfast_shell \
            (string sub -l 1024 -- "$argv[1]" | string collect | string escape --style=url)
    end

    function __holdfast_postexec --on-event fish_postexec
        printf '\e]133;D;%s;aid=%s\a' $status $__holdfast_shell
    end

    function __holdfast_prompt --on-event fish_prompt
        printf '\e]7;file://%s%s\a\e]133;A;aid=%s\a' $hostname \
            (string escape --style=url -- $PWD) $__holdfast_shell
    end
end
`;
