//! `export`: sessions in the format of another client, each whole or not at all.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use tgsession::{DcId, Error, Export, ExportReport, ExportSession, Format, Source};
use zeroize::Zeroizing;

use crate::args::{self, Corrections};
use crate::explain;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::progress::{Progress, expected};
use crate::report::{self, Report};
use crate::source::{self, Reading, STDIN};
use crate::target::{Inputs, is_same};
use crate::words::count;

pub(crate) fn run(args: &args::Export) -> Outcome {
    write(args).map_err(|failure| with_option(failure, args))
}

/// The library knows neither the tool's options nor, of a session that does not fit, its path.
fn with_option(failure: Failure, args: &args::Export) -> Failure {
    let Failure::Library(error) = &failure else { return failure };
    let option = match error {
        Error::Lacks { what, .. } if what.contains("api id") => "--api-id",
        Error::Lacks { what, .. } if what.contains("user id") => "--user-id",
        Error::Lacks { what, .. } if what.contains("home DC that") => "--dc",
        Error::AlreadyExists { path } if args.format.is_folder() && path.is_dir() => {
            "a directory is not replaced; remove it first"
        }
        Error::AlreadyExists { .. } => "--force replaces it",
        Error::Lossy { .. } => "without --strict these values are listed and left out",
        _ => return failure,
    };
    let source = match error {
        Error::Lacks { .. } | Error::Lossy { .. } => args.origin.to_string() + ": ",
        _ => String::new(),
    };
    Failure::Refused(format!("{source}{} ({option})", explain::chain(error)))
}

fn write(args: &args::Export) -> Outcome {
    let target = Target::of(args)?;
    let inputs = inputs(args)?;
    if let Target::File(path) = &target {
        inputs.refuse_to_replace(path)?;
    }
    let stdout = args.json.then(|| Path::new(STDIN));
    let report = args.report.as_deref().or(stdout);
    let report = report.map(|path| report_to(path, args, &target, &inputs)).transpose()?;
    let source = source::open(&args.origin, Reading::salvage(args.damage.salvage))?;
    let names = match (&args.session, args.format.holds_many() || target.is_folder_of_many()) {
        (Some(name), _) => vec![name.clone()],
        (None, true) => source.session_names()?,
        (None, false) => vec![source::pick_session(&source, None)?],
    };
    let path = source.path().display().to_string();
    let cure = "choose one with --session";
    source::refuse_for_several(&args.corrections, &path, names.len(), cure)?;
    let export = export(args)?;
    if !args.seal && args.seal_file.is_none() && !args.dry_run {
        source::say_if_decrypted(&source, &args.origin);
    }
    let mut done = Vec::new();
    if args.dry_run {
        preview(&export, &source, &names, &target, args, &mut done)?;
        done.iter().for_each(|one| say(args.format, one));
        output::say("dry run: nothing was written");
        return report.map_or(Ok(()), |report| report.write(&source.format(), args.format, &done));
    }
    match &target {
        Target::Output => done.push(to_output(&export, &source, &names)?),
        Target::File(path) => {
            let report = export.write_file(path, sessions(&source, &names)?)?;
            done.push(Done { name: names.join(", "), path: Some(path.clone()), report });
        }
        Target::Folder(folder) => {
            let files: Vec<_> = names
                .iter()
                .map(|name| file_of(folder, name, args.format))
                .collect::<Outcome<_>>()?;
            files.iter().try_for_each(|file| inputs.refuse_to_replace(file))?;
            if let Some(path) = &args.report
                && files.iter().any(|file| is_same(file, path))
            {
                return Err(Failure::Usage("an export and --report name the same file".to_owned()));
            }
            to_folder(args, &export, &source, &names, folder, files, &mut done)?;
        }
    }
    for one in &done {
        say(args.format, one);
    }
    report.map_or(Ok(()), |report| report.write(&source.format(), args.format, &done))
}

/// Where the report goes: neither over what is there nor into what is exported.
fn report_to(
    path: &Path,
    args: &args::Export,
    target: &Target,
    inputs: &Inputs,
) -> Outcome<Report> {
    let usage = |text: &str| Err(Failure::Usage(text.to_owned()));
    match target {
        Target::Output if path.as_os_str() == STDIN && !args.dry_run => {
            usage("the sessions and the report cannot both go to standard output")
        }
        Target::File(output) if is_same(output, path) => {
            usage("-o and --report name the same file")
        }
        _ if path.as_os_str() == STDIN => Report::to(path, args.force),
        _ => {
            inputs.refuse_to_replace(path)?;
            Report::to(path, args.force)
        }
    }
}

/// Every file that is read.
fn inputs(args: &args::Export) -> Outcome<Inputs> {
    let source = args.origin.source.as_deref().map(source::find).transpose()?;
    let key = args.origin.key.options().file();
    let secrets = [&args.origin.passphrase_file, &args.seal_file, &key, &source];
    Ok(Inputs::of(secrets.into_iter().flatten().map(PathBuf::as_path)))
}

/// One written session: its place, and the values left out.
pub(crate) struct Done {
    pub(crate) name: String,
    /// `None`: standard output.
    pub(crate) path: Option<PathBuf>,
    pub(crate) report: ExportReport,
}

/// Where the export goes.
enum Target {
    Output,
    File(PathBuf),
    /// A file or folder of its own for each session, named after it.
    Folder(PathBuf),
}

impl Target {
    fn of(args: &args::Export) -> Outcome<Self> {
        match &args.output {
            None if args.format.is_string() || args.dry_run => Ok(Self::Output),
            None => Err(Failure::Usage(if args.format.is_folder() {
                format!("--to {} writes a directory: give its path with -o", args.format)
            } else {
                format!(
                    "--to {} writes a file: give its path with -o (or -o - for standard output)",
                    args.format
                )
            })),
            Some(path) if path.as_os_str() == STDIN => {
                if !args.format.is_string() && io::stdout().is_terminal() {
                    let text =
                        "standard output is a terminal, and this format is binary; give a path";
                    return Err(Failure::Usage(text.to_owned()));
                }
                Ok(Self::Output)
            }
            Some(path) if means_folder(path, args.format) => Ok(Self::Folder(path.clone())),
            Some(path) => Ok(Self::File(path.clone())),
        }
    }

    fn is_folder_of_many(&self) -> bool {
        matches!(self, Self::Folder(_))
    }
}

/// Whether the sessions go into this folder, each under its name: it says so by its end, or is
/// there. Of a format that is a folder itself, one that is there is rather an older export.
fn means_folder(path: &Path, format: Format) -> bool {
    let ends = path.as_os_str().to_string_lossy().ends_with(['/', std::path::MAIN_SEPARATOR]);
    ends || (path.is_dir() && !format.is_folder())
}

fn export(args: &args::Export) -> Outcome<Export> {
    let mut export = Export::to(args.format)
        .entities(!args.no_entities)
        .strict(args.strict)
        .overwrite(args.force);
    let Corrections { user_id, api_id, bot } = args.corrections;
    if let Some(id) = api_id {
        export = export.api_id(id);
    }
    if let Some(id) = user_id {
        export = export.user_id(id);
    }
    if let Some(bot) = bot {
        export = export.bot(bot);
    }
    if let Some(dc) = args.origin.dc {
        export = export.home_dc(DcId(dc));
    }
    if let Some(test) = args.test_mode {
        export = export.test_mode(test);
    }
    if let Some(passphrase) = seal(args)? {
        export = export.passphrase(&passphrase);
    }
    Ok(export)
}

/// The passphrase to seal with.
fn seal(args: &args::Export) -> Outcome<Option<Zeroizing<Vec<u8>>>> {
    let sealable = args.format.takes_passphrase();
    if (args.seal || args.seal_file.is_some()) && !sealable {
        let sealable = Format::ALL.into_iter().filter(|format| format.takes_passphrase());
        let sealable: Vec<_> = sealable.map(Format::name).collect();
        return Err(Failure::Usage(format!(
            "{} cannot be encrypted with a passphrase; these formats can: {}",
            args.format,
            sealable.join(", ")
        )));
    }
    if let Some(path) = &args.seal_file {
        return source::passphrase_in(path).map(Some);
    }
    if !args.seal {
        return Ok(None);
    }
    let Some(passphrase) = source::ask_twice("New passphrase: ")? else {
        let text = "there is no terminal to ask for the passphrase; give --seal-passphrase-file";
        return Err(Failure::Usage(text.to_owned()));
    };
    Ok(Some(Zeroizing::new(passphrase.as_bytes().to_vec())))
}

fn sessions<'a>(source: &'a Source, names: &[String]) -> Outcome<Vec<ExportSession<'a>>> {
    names.iter().map(|name| session(source, name)).collect()
}

/// A session whose entities are counted on their way.
fn session<'a>(source: &'a Source, name: &str) -> Outcome<ExportSession<'a>> {
    let session = source.session(name)?.with_impossible_ids();
    let account = session.account().clone();
    let mut progress = Progress::new(expected(&session));
    let entities = session.inspect(move |_| progress.step());
    Ok(ExportSession::new(name, account, entities))
}

/// What an export would do.
fn preview(
    export: &Export,
    source: &Source,
    names: &[String],
    target: &Target,
    args: &args::Export,
    done: &mut Vec<Done>,
) -> Outcome {
    if let Target::Folder(folder) = target {
        for name in names {
            let path = Some(free(file_of(folder, name, args.format)?, args)?);
            let report = export.preview([session(source, name)?])?;
            done.push(Done { name: name.clone(), path, report });
        }
        return Ok(());
    }
    let report = export.preview(sessions(source, names)?)?;
    let path = match target {
        Target::File(path) => Some(free(path.clone(), args)?),
        _ => None,
    };
    done.push(Done { name: names.join(", "), path, report });
    Ok(())
}

/// The path, if the export may write to it.
fn free(path: PathBuf, args: &args::Export) -> Outcome<PathBuf> {
    match path.symlink_metadata() {
        Ok(_) if !args.force => Err(Error::AlreadyExists { path }.into()),
        _ => Ok(path),
    }
}

fn to_output(export: &Export, source: &Source, names: &[String]) -> Outcome<Done> {
    let (bytes, report) = export.to_bytes(sessions(source, names)?)?;
    let mut out = output::results();
    out.write_all(&bytes)?;
    out.flush()?;
    Ok(Done { name: names.join(", "), path: None, report })
}

/// Every session into a file of its own. All names are known to be free, and all sessions to fit
/// the format, before the first is written.
fn to_folder(
    args: &args::Export,
    export: &Export,
    source: &Source,
    names: &[String],
    folder: &Path,
    files: Vec<PathBuf>,
    done: &mut Vec<Done>,
) -> Outcome {
    let files: Vec<_> = files.into_iter().map(|file| free(file, args)).collect::<Outcome<_>>()?;
    if names.len() > 1 {
        for name in names {
            export.preview([session(source, name)?])?;
        }
    }
    fs::create_dir_all(folder).map_err(|error| {
        Failure::Refused(format!("{}: cannot create the directory: {error}", folder.display()))
    })?;
    for (name, path) in names.iter().zip(files) {
        let report = export.write_file(&path, [session(source, name)?])?;
        done.push(Done { name: name.clone(), path: Some(path), report });
    }
    Ok(())
}

fn file_of(folder: &Path, name: &str, format: Format) -> Outcome<PathBuf> {
    if name.contains(['/', '\\']) || name.starts_with('.') {
        return Err(Failure::Refused(format!(
            "session {name:?} cannot be the name of a file; export it alone, with -o FILE"
        )));
    }
    Ok(folder.join(format!("{name}{}", format.ending())))
}

/// What there is to say of one export, on standard error.
fn say(format: Format, done: &Done) {
    let path = done.path.as_ref().map_or_else(String::new, |path| format!("{}: ", path.display()));
    let entities = count(done.report.entities, "entity", "entities");
    output::say(&format!("{path}{}: {format}, {entities}", done.name));
    for filled in &done.report.filled {
        output::say(&format!("  filled in: {filled}"));
    }
    for loss in &done.report.lost {
        output::say(&format!("  left out: {}", report::in_words(loss)));
    }
}
