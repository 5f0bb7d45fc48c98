//! `schema`: the JSON Schema of a bundle's manifest, from its types.

use std::io::Write;

use biglittle::Result;
use biglittle::bundle::Manifest;

use crate::output::cannot_write;

pub fn run() -> Result<()> {
    let schema = schemars::schema_for!(Manifest);
    let mut out = anstream::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &schema)
        .map_err(std::io::Error::from)
        .and_then(|()| writeln!(out))
        .map_err(cannot_write)
}
