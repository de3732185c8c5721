"""`talon-one completion`: scripts with which shells complete commands and options."""

from __future__ import annotations

import os
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

PROGRAM = "talon-one"

_POWERSHELL = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($word, $ast, $cursor)
    $line = $ast.ToString().PadRight($cursor - $ast.Extent.StartOffset)
    $env:COMP_WORDS = $line.Substring(0, $cursor - $ast.Extent.StartOffset)
    $env:COMP_WORD = $word
    $env:%(complete_var)s = "powershell_complete"
    try {
        %(prog_name)s | ForEach-Object {
            $value, $text = $_ -split "`t", 2
            if (-not $text) { $text = $value }
            [System.Management.Automation.CompletionResult]::new(
                $value, $value, "ParameterValue", $text)
        }
    } finally {
        Remove-Item Env:COMP_WORDS, Env:COMP_WORD, Env:%(complete_var)s
    }
}
"""


class PowerShellComplete(ShellComplete):
    """Completion for PowerShell, which click does not have."""

    name = "powershell"
    source_template = _POWERSHELL

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the complete words of the line, and the one that is being typed."""
        words = split_arg_string(os.environ.get("COMP_WORDS", ""))[1:]
        incomplete = os.environ.get("COMP_WORD", "")
        if words and incomplete and words[-1] == incomplete:
            words.pop()
        return words, incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """Return a line for the script: value, tab, help."""
        return f"{item.value}\t{(item.help or '').splitlines()[0] if item.help else ''}"


add_completion_class(PowerShellComplete)

_SHELLS: dict[str, type[ShellComplete]] = {
    "bash": BashComplete,
    "zsh": ZshComplete,
    "fish": FishComplete,
    "powershell": PowerShellComplete,
}


_INSTALLATION = """\
\b
bash:        eval "$(talon-one completion bash)"           in ~/.bashrc
zsh:         eval "$(talon-one completion zsh)"            in ~/.zshrc
fish:        talon-one completion fish | source            in config.fish
PowerShell:  talon-one completion powershell | Out-String | Invoke-Expression
"""


@click.command(epilog=_INSTALLATION)
@click.argument("shell", type=click.Choice(list(_SHELLS)))
def completion(shell: str) -> None:
    """Print the script with which SHELL completes commands and options."""
    from talon_one.cli.commands import COMPLETION_VARIABLE, app

    script: Any = _SHELLS[shell](app, {}, PROGRAM, COMPLETION_VARIABLE)
    # Not its `source`, which starts a shell to find out its version.
    click.echo(script.source_template % script.source_vars(), nl=False)
