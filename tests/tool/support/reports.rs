//! Inputs like those of public reports; the larger ones are kept packed.

use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;

/// The bytes of a report's file. `name.gz` is unpacked where there is no `name`.
pub(crate) fn report(name: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reports").join(name);
    if path.is_file() {
        return Ok(fs::read(path)?);
    }
    let mut bytes = Vec::new();
    GzDecoder::new(fs::File::open(format!("{}.gz", path.display()))?).read_to_end(&mut bytes)?;
    Ok(bytes)
}
