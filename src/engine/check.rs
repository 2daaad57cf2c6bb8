//! Reads everything that the file consists of.

use super::error::{EngineResult, said_by};
use super::version::{Opener, Version};
use crate::file::{FileDamage, Root, Roots, SECTOR};
use crate::segment::parse_header;
use crate::wal::Log;

/// Everything that is wrong with header, log, segments and base, one sentence each.
pub(crate) fn file_damage(
    opener: &Opener,
    root: &Root,
    version: &Version,
) -> EngineResult<Vec<String>> {
    let mut problems = Vec::new();
    let disk = opener.disk.as_ref();
    let roots = Roots::read(disk, &opener.seal)?;
    let log = Log::of(&opener.seal, root).read(disk, root);
    // A writer that was stopped between the writes of both slots has not marked its log yet.
    let is_between = roots.are_whole() && log.as_ref().is_ok_and(|log| !log.tail.marked);
    if !roots.agree() && !is_between {
        problems.push("one of the two copies of the root is damaged; the other was used".into());
    }
    if let Err(error) = log {
        problems.push(error.to_string());
    }
    for segment in version.segments.iter() {
        let mut header = [0; SECTOR];
        disk.read(segment.info().extent.at(), &mut header)?;
        let named = Some((segment.number(), segment.info().salt, segment.info().sizes));
        if parse_header(&opener.seal, &header) != named {
            problems.push(format!("the header of segment {} is damaged", segment.number()));
        }
        problems.extend(segment.bad_sectors().iter().map(FileDamage::to_string));
    }
    if let Some(base) = &version.base
        && let Err(error) = base.check()
    {
        problems.push(said_by(&error.at("".as_ref())));
    }
    Ok(problems)
}
