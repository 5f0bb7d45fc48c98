//! `schema`: the JSON Schema of a bundle's manifest, from its types.

use biglittle::Result;
use biglittle::bundle::Manifest;

use crate::output::Output;

pub fn run() -> Result<()> {
    let schema = schemars::schema_for!(Manifest);
    Output { json: true }.print(&schema, |_| Ok(()))
}
