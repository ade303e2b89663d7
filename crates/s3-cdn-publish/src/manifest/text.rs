//! A manifest as bytes: lines of JSON, the header first, compressed.
//!
//! Rows are read and written one by one, so that a site of any size takes the memory of its compressed manifest and of one
//! row. A row is an array: key, SHA-256, size, look, ETag, and what is known of its retirement.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::{Header, Retired, Row, SCHEMA};
use crate::etag::Etag;
use crate::hex::{self, Hex};

/// The longest line of a row: a key of 1,024 bytes, each of which JSON may write as six, and what stands beside it.
const LONGEST_ROW: u64 = 16 * 1024;

/// The longest first line: it holds earlier releases and looks.
const LONGEST_HEADER: u64 = 64 * 1024 * 1024;

/// The most rows: more than S3 lists in a day's work of a publish, and what fits into a few gigabytes.
const MOST_ROWS: u32 = 10_000_000;

/// Why a manifest can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ManifestError {
    /// Of a newer version.
    #[error("the manifest has schema {0}, and this version knows {SCHEMA}")]
    Newer(u32),
    /// Not what was written.
    #[error("the manifest is damaged: {0}")]
    Damaged(String),
}

/// Reads rows, in the order of their keys.
pub struct Reader<'a> {
    lines: BufReader<GzDecoder<&'a [u8]>>,
    header: Header,
    last: Option<Box<str>>,
    line: String,
    rows: u32,
}

impl<'a> Reader<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// When it is damaged, or of a newer version.
    pub fn new(bytes: &'a [u8]) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        struct Schema {
            schema: u32,
        }
        let mut lines = BufReader::new(GzDecoder::new(bytes));
        let mut line = String::new();
        next_line(&mut lines, &mut line, LONGEST_HEADER)?;
        let Schema { schema } = json(&line)?;
        if schema > SCHEMA {
            return Err(ManifestError::Newer(schema));
        }
        let header = json(&line)?;
        Ok(Self {
            lines,
            header,
            last: None,
            line,
            rows: 0,
        })
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    fn row(&mut self) -> Result<Option<Row>, ManifestError> {
        next_line(&mut self.lines, &mut self.line, LONGEST_ROW)?;
        if self.line.is_empty() {
            return Ok(None);
        }
        self.rows += 1;
        if self.rows > MOST_ROWS {
            return Err(damaged("it has more rows than a site has files"));
        }
        let (key, sha256, size, look, etag, retired): Columns<'_> = json(&self.line)?;
        let sha256 = match sha256.as_ref() {
            "" => None,
            digits => Some(hex::bytes(digits).ok_or_else(|| damaged("a checksum is none"))?),
        };
        if self.header.looks.get(look).is_none() {
            return Err(damaged("a row has no headers"));
        }
        if self.last.as_deref().is_some_and(|last| last >= key.as_ref()) {
            return Err(damaged("its rows are not in order"));
        }
        self.last = Some(key.as_ref().into());
        Ok(Some(Row {
            key: key.as_ref().into(),
            sha256,
            size,
            look,
            etag: Etag::new(&etag),
            retired,
        }))
    }
}

/// A row's columns.
type Columns<'a> = (Text<'a>, Text<'a>, u64, u16, Text<'a>, Option<Retired>);

/// A text of a row, copied only where JSON escapes something in it.
#[derive(Deserialize, Serialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] std::borrow::Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Row, ManifestError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.row().transpose()
    }
}

/// Writes a manifest, row by row.
pub struct Writer {
    out: GzEncoder<Vec<u8>>,
}

impl Writer {
    /// Begins with the header.
    ///
    /// # Errors
    /// When it can't be compressed.
    pub fn new(header: &Header) -> Result<Self, ManifestError> {
        let mut writer = Self {
            out: GzEncoder::new(Vec::new(), Compression::fast()),
        };
        writer.line(header)?;
        Ok(writer)
    }

    /// Adds a row; rows come in the order of their keys.
    ///
    /// # Errors
    /// When it can't be compressed.
    pub fn row(&mut self, row: &Row) -> Result<(), ManifestError> {
        let sha256 = row.sha256.map(|digest| Hex(&digest).to_string());
        let columns: (&str, &str, u64, u16, &str, Option<&Retired>) = (
            &row.key,
            sha256.as_deref().unwrap_or_default(),
            row.size,
            row.look,
            &row.etag.to_string(),
            row.retired.as_ref(),
        );
        self.line(&columns)
    }

    /// The bytes.
    ///
    /// # Errors
    /// When they can't be compressed.
    pub fn finish(self) -> Result<Vec<u8>, ManifestError> {
        self.out.finish().map_err(|error| damaged(&error.to_string()))
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), ManifestError> {
        let written = serde_json::to_writer(&mut self.out, value).map_err(std::io::Error::from);
        written
            .and_then(|()| self.out.write_all(b"\n"))
            .map_err(|error| damaged(&error.to_string()))
    }
}

/// Reads one line, which is empty at the end.
fn next_line(
    lines: &mut BufReader<GzDecoder<&[u8]>>,
    line: &mut String,
    longest: u64,
) -> Result<(), ManifestError> {
    line.clear();
    let read = lines.by_ref().take(longest).read_line(line);
    let read = read.map_err(|error| damaged(&error.to_string()))?;
    if read > 0 && !line.ends_with('\n') {
        return Err(damaged("a line of it is cut off or too long"));
    }
    Ok(())
}

fn json<'a, T: Deserialize<'a>>(line: &'a str) -> Result<T, ManifestError> {
    serde_json::from_str(line).map_err(|error| damaged(&error.to_string()))
}

fn damaged(why: &str) -> ManifestError {
    ManifestError::Damaged(gha::text::line(why))
}

#[cfg(test)]
mod tests;
