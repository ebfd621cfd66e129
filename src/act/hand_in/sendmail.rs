//! Handing in through a `sendmail` command.

use super::{Committing, Found, Handed, found};
use crate::act::address;
use crate::act::tool;
use crate::act::vault::{MESSAGE, Vault};
use crate::evidence::Text;
use crate::plan::Job;
use crate::plan::entry::Outcome;
use crate::plan::{Notify, Outgoing, Ret, Submission};
use std::ffi::OsString;
use std::fs::File;

/// Recipients that one command line takes. More would have to be handed in in several goes, of which some might fail.
const MAX_RECIPIENTS: usize = 1_000;

/// The exit codes of `sysexits.h` that say that nothing was taken: usage, data, no input, no user, no host, no such service,
/// software, operating system, system file, cannot create, input/output, no permission, configuration. Not 75 (`EX_TEMPFAIL`): smtpctl as
/// sendmail ends with it although the mail lies in `offline` (`usr.sbin/smtpd/enqueue.c`, `offline_file`; observed on 6.8.0).
const NOT_TAKEN: [i32; 13] = [64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 77, 78];

/// Hands the message in, for the `first` time or once more to those who were refused then. Its bytes are a file and no pipe: if ghostq dies meanwhile, the command still reads all of them.
pub fn hand_in(
    job: &Job,
    operation: &str,
    vault: &Vault,
    submission: &Submission,
    outgoing: &Outgoing,
    first: bool,
    committing: &mut Committing<'_>,
) -> Handed {
    let arguments = match arguments(submission, outgoing) {
        Ok(arguments) => arguments,
        Err(why) => return Handed::NotTaken(why),
    };
    let message = match File::open(vault.file(MESSAGE)) {
        Ok(file) => file,
        Err(error) => return Handed::NotTaken(format!("could not read it from the vault: {error}")),
    };
    if let Err(error) = committing() {
        return Handed::NotTaken(error.to_string());
    }
    let ran = match tool::run(&submission.program, &arguments, Some(message)) {
        Ok(ran) => ran,
        Err(error) => return Handed::NotTaken(format!("could not run `{}`: {error}", submission.program)),
    };
    let line = ran.line();
    let why = match ran.status {
        Some(status) if status.success() => {
            let note = if line.is_empty() { format!("taken by {}", submission.program) } else { line };
            return Handed::Taken(Outcome { note, ..Outcome::default() });
        }
        Some(status) => format!("`{}` failed ({status}): {line}", submission.program),
        None => format!("`{}`: {line}", submission.program),
    };
    // Some commands complain of one recipient and take the message for the others.
    let ended = ran.status.is_some_and(|status| status.code().is_some());
    match found(job, operation, ended) {
        Found::Taken(outcome) if first => {
            return Handed::Taken(Outcome { note: format!("{}; {why}", outcome.note), ..outcome });
        }
        Found::Taken(_) => return Handed::Unknown(why),
        Found::Perhaps(path) => {
            return Handed::Unknown(format!("{why}; `{path}` holds it, and may be unfinished"));
        }
        Found::No => {}
    }
    let refused = ran.status.and_then(|status| status.code()).is_some_and(|code| NOT_TAKEN.contains(&code));
    if refused && outgoing.recipients.len() == 1 { Handed::NotTaken(why) } else { Handed::Unknown(why) }
}

/// The arguments.
///
/// # Errors
/// Why it cannot be said on a command line to whom the message goes.
pub fn arguments(submission: &Submission, outgoing: &Outgoing) -> Result<Vec<OsString>, String> {
    let mut arguments: Vec<OsString> = submission.arguments.iter().map(OsString::from).collect();
    let sender =
        outgoing.sender.as_ref().ok_or("its envelope sender is not known; give one with `--mail-from`")?;
    if outgoing.recipients.is_empty() {
        return Err("it has no recipients".to_owned());
    }
    if outgoing.recipients.len() > MAX_RECIPIENTS && !submission.envelope_on_top {
        return Err(format!(
            "it has {} recipients, and a command line takes {MAX_RECIPIENTS}; use `--via smtp://localhost`",
            outgoing.recipients.len()
        ));
    }
    if submission.envelope_on_top {
        super::addresses(outgoing).try_for_each(address::check)?;
        return Ok(arguments);
    }
    if submission.dsn {
        arguments.extend(delivery_options(outgoing));
    }
    arguments.push("-f".into());
    arguments.push(match &submission.null_sender {
        _ if !sender.is_empty() => checked(sender)?,
        Some(null) => null.into(),
        None => {
            return Err(format!(
                "`{}` cannot be told that a message has no sender; use `--via smtp://…`",
                submission.program
            ));
        }
    });
    arguments.push("--".into());
    for recipient in &outgoing.recipients {
        arguments.push(checked(&recipient.address)?);
    }
    Ok(arguments)
}

/// The envelope in front of the message, for a command that takes it there.
pub fn envelope_on_top(submission: &Submission, outgoing: &Outgoing) -> Vec<u8> {
    if !submission.envelope_on_top {
        return Vec::new();
    }
    let sender = outgoing.sender.as_ref().map_or(&b""[..], Text::bytes);
    let recipients = outgoing.recipients.iter().map(|recipient| recipient.address.bytes());
    let lines = std::iter::once(sender).chain(recipients).chain(std::iter::once(&b""[..]));
    lines.flat_map(|line| [line, b"\n"].concat()).collect()
}

fn checked(address: &Text) -> Result<OsString, String> {
    address::check_for_command_line(address)?;
    Ok(address.lossy().into_owned().into())
}

/// `-N`, `-R` and `-V` (`sendmail(1)` of Postfix and of sendmail). `-N` speaks for all recipients; where they differ, the one that
/// says least is taken, so that nobody gets a report he did not ask for.
fn delivery_options(outgoing: &Outgoing) -> Vec<OsString> {
    let mut options = Vec::new();
    let asked: Vec<Notify> = outgoing.recipients.iter().map(|recipient| recipient.notify).collect();
    let first = asked.first().copied().unwrap_or_default();
    let same = asked.iter().all(|notify| *notify == first);
    let notify = if same { first.parameter() } else { None };
    if let Some(notify) = notify {
        options.extend(["-N".to_owned(), notify.to_ascii_lowercase()]);
    }
    if let Some(ret) = outgoing.ret {
        options.extend(["-R".to_owned(), if ret == Ret::Full { "full" } else { "hdrs" }.to_owned()]);
    }
    let graphic = |text: &&str| text.bytes().all(|byte| byte.is_ascii_graphic()) && text.len() <= 100;
    if let Some(envid) = outgoing.envid.as_ref().and_then(Text::as_str).filter(graphic) {
        options.extend(["-V".to_owned(), envid.to_owned()]);
    }
    options.into_iter().map(OsString::from).collect()
}
