//! The manifest of a release that has come about. Pure.

use crate::diff::Found;
use crate::error::Error;
use crate::manifest::{Header, Manifest, ManifestError, Release, Row, SCHEMA, Writer};
use crate::plan::Plan;
use crate::target::{Looks, Target};

/// What a manifest is made of.
pub struct Commit<'a> {
    /// The release.
    pub release: Release,
    /// The release from which this one was come back to.
    pub rolled_back_from: Option<String>,
    /// Its objects.
    pub target: &'a Target,
    /// Their ETags.
    pub found: &'a [Found],
    /// What was planned for those of earlier releases.
    pub plan: &'a Plan,
    /// How these were treated, by the numbers of the manifest before.
    pub before: Option<&'a Looks>,
}

impl Commit<'_> {
    /// The manifest as bytes.
    ///
    /// # Errors
    /// When an object has no ETag, or there are too many looks.
    pub fn bytes(self) -> Result<Vec<u8>, Error> {
        let mut looks = self.target.looks.clone();
        let mut retired = Vec::with_capacity(self.plan.kept.len() + self.plan.deletes.len());
        for row in self.plan.kept.iter().chain(&self.plan.deletes) {
            let look = self.before.and_then(|before| before.get(row.look));
            let look = look.or_else(|| self.target.looks.get(0)).cloned();
            let look = look.ok_or_else(|| Error::State("an object has no headers".to_owned()))?;
            retired.push(Row {
                look: looks.number(look)?,
                ..row.clone()
            });
        }
        retired.sort_by(|one, other| one.key.cmp(&other.key));
        let header = Header {
            schema: SCHEMA,
            release: self.release,
            rolled_back_from: self.rolled_back_from,
            earlier: self.plan.earlier.clone(),
            looks,
        };
        let written = write(&header, self.target, self.found, &retired);
        written.map_err(|error| Error::State(error.to_string()))
    }
}

/// Writes the rows of both in the order of their keys.
fn write(
    header: &Header,
    target: &Target,
    found: &[Found],
    retired: &[Row],
) -> Result<Vec<u8>, ManifestError> {
    let mut writer = Writer::new(header)?;
    let mut retired = retired.iter().peekable();
    for (item, found) in target.items.iter().zip(found) {
        while let Some(row) = retired.next_if(|row| row.key < item.key) {
            writer.row(row)?;
        }
        let etag = found.etag.clone();
        writer.row(&Row {
            key: item.key.clone(),
            sha256: Some(item.sha256),
            size: item.size,
            look: item.look,
            etag: etag.ok_or_else(|| ManifestError::Damaged(format!("`{}` has no ETag", item.key)))?,
            retired: None,
        })?;
    }
    for row in retired {
        writer.row(row)?;
    }
    writer.finish()
}

/// The contents of a manifest's release in the store, by name.
#[must_use]
pub fn store_names(manifest: &Manifest) -> Vec<String> {
    let digests = manifest.header.looks.digests();
    let live = manifest.rows.iter().filter(|row| row.retired.is_none());
    live.filter_map(|row| {
        let digest = digests.get(usize::from(row.look))?;
        Some(crate::write::store_name(&row.sha256?, *digest))
    })
    .collect()
}

#[cfg(test)]
mod tests;
