//! The form of every verb's help: what it does, examples, then the rest.

use clap::Command;

/// Examples stand before the arguments; `before_help` holds them.
const TEMPLATE: &str =
    "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// Gives `command` and everything below it that form.
pub(crate) fn shaped(command: Command) -> Command {
    command.help_template(TEMPLATE).mut_subcommands(shaped)
}

/// Said when no verb was given.
pub(crate) const WELCOME: &str = "\
labelrelay takes webhooks of Labelbox and Label Studio, verifies them, and puts
them on a queue.

Begin here:
  labelrelay serve --demo   see it work, without any platform
  labelrelay serve          take deliveries in; makes its configuration
  labelrelay send           deliver a sample to it
  labelrelay events list    see what came in
  labelrelay status         see whether all is well, and if not, what to do

Usage: labelrelay <COMMAND>
`labelrelay --help` lists the commands, `labelrelay <COMMAND> --help` explains one.";
