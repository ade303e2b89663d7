//! Large files, written in parts: each is sent by itself, and the object is there when all are.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;

use super::headers::headed;
use super::writes::{Body, Hashed, Put, file, time_for};
use super::{Bucket, Condition, Refused, refused};
use crate::etag::Etag;

/// From which size on a file is sent in parts. Up to it an object's checksum is that of its whole content.
pub const FROM: u64 = 64 * 1024 * 1024;

/// The size of a part, unless there would be too many.
const PART: u64 = 8 * 1024 * 1024;

/// The most parts (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
const MOST: u64 = 10_000;

/// How many parts of a file are under way.
const AT_ONCE: usize = 8;

/// How many parts of all files are under way: each holds buffers of its own.
pub(super) const OF_ALL: usize = 16;

/// How much of a file is read at once.
const PIECE: usize = 128 * 1024;

/// How often a part is tried.
const TRIES: u32 = 5;

impl Bucket {
    /// Writes a file in parts.
    ///
    /// # Errors
    /// When a part or the whole was not written; nothing of it stays behind then. When the file is not what was hashed.
    pub async fn put_in_parts(&self, path: &Path, put: Put<'_>) -> Result<Etag, Refused> {
        let call = "s3:PutObject";
        let plain = self.dialect.plain.get();
        let mut request = self
            .write
            .create_multipart_upload()
            .bucket(&self.name)
            .key(self.key(put.key));
        request = headed!(request, put.headers);
        if !plain {
            request = request.checksum_algorithm(ChecksumAlgorithm::Sha256);
        }
        let created = match request.send().await.map_err(|error| refused(call, &error)) {
            Err(refused) if refused.is_foreign_word() && !plain => {
                self.dialect.plain.set(true);
                return Box::pin(self.put_in_parts(path, put)).await;
            }
            created => created?,
        };
        let upload = created.upload_id().unwrap_or_default();
        let done = self.parts(path, put, upload).await;
        if done.is_err() {
            let abort = self
                .write
                .abort_multipart_upload()
                .bucket(&self.name)
                .key(self.key(put.key))
                .upload_id(upload);
            // What can't be taken off is the bucket's lifecycle rule's to take off; the reason is that of the upload.
            let _ = abort.send().await;
        }
        done
    }

    async fn parts(&self, path: &Path, put: Put<'_>, upload: &str) -> Result<Etag, Refused> {
        let size = match put.body {
            Body::File(_, size) => size,
            Body::Bytes(bytes) => bytes.len() as u64,
        };
        let reader = Reader::open(path, PART.max(size.div_ceil(MOST)))?;
        let mut reading = Box::pin(reader.next());
        let mut under_way = FuturesUnordered::new();
        let mut completed = Vec::new();
        let whole = loop {
            tokio::select! {
                biased;
                Some(done) = under_way.next() => completed.push(done?),
                read = &mut reading, if under_way.len() < AT_ONCE => {
                    let (reader, part) = read?;
                    let Some(part) = part.filter(|_| reader.read <= size) else {
                        break reader.whole;
                    };
                    under_way.push(self.part(put.key, upload, path, part));
                    reading = Box::pin(reader.next());
                }
            }
        };
        while let Some(done) = under_way.next().await {
            completed.push(done?);
        }
        completed.sort_by_key(CompletedPart::part_number);
        if whole.finalize().as_slice() != put.sha256 {
            return Err(Refused::unread(path, "it changed while it was published"));
        }
        let condition = self.condition(put.key, put.condition).await?;
        let complete = self
            .write
            .complete_multipart_upload()
            .bucket(&self.name)
            .key(self.key(put.key))
            .upload_id(upload)
            .multipart_upload(
                CompletedMultipartUpload::builder()
                    .set_parts(Some(completed))
                    .build(),
            );
        let complete = match condition {
            Condition::None => complete,
            Condition::New => complete.if_none_match("*"),
            Condition::Same(etag) => complete.if_match(etag.quoted()),
        };
        let answer = complete
            .customize()
            .config_override(aws_sdk_s3::config::Config::builder().timeout_config(time_for(size)))
            .send()
            .await
            .map_err(|error| refused("s3:PutObject", &error))?;
        Ok(Etag::new(answer.e_tag().unwrap_or_default()))
    }

    /// Sends a part, again where it may pass: a part that comes twice is one.
    async fn part(&self, key: &str, upload: &str, path: &Path, part: Part) -> Result<CompletedPart, Refused> {
        let _turn = self.parts.acquire().await;
        let mut tried = 1;
        loop {
            match self.part_once(key, upload, path, &part).await {
                Err(refused) if refused.may_pass() && tried < TRIES => {
                    let spread = u64::try_from(part.number).unwrap_or_default();
                    tokio::time::sleep(crate::pace::pause(tried, spread)).await;
                    tried += 1;
                }
                said => return said,
            }
        }
    }

    async fn part_once(
        &self,
        key: &str,
        upload: &str,
        path: &Path,
        part: &Part,
    ) -> Result<CompletedPart, Refused> {
        let checksum = (!self.dialect.plain.get()).then(|| STANDARD.encode(part.sha256));
        let request = self
            .write
            .upload_part()
            .bucket(&self.name)
            .key(self.key(key))
            .upload_id(upload)
            .part_number(part.number)
            .content_length(i64::try_from(part.length).unwrap_or(i64::MAX))
            .set_checksum_sha256(checksum)
            .body(file(path, part.from, part.length).await?);
        let answer = request
            .customize()
            .interceptor(Hashed(part.sha256))
            .config_override(aws_sdk_s3::config::Config::builder().timeout_config(time_for(part.length)))
            .send()
            .await
            .map_err(|error| refused("s3:PutObject", &error))?;
        Ok(CompletedPart::builder()
            .part_number(part.number)
            .set_e_tag(answer.e_tag().map(str::to_owned))
            // A store that did not look at it does not know it when the parts are put together.
            .set_checksum_sha256(answer.checksum_sha256().map(str::to_owned))
            .build())
    }
}

/// A part of a file.
struct Part {
    /// From 1 on.
    number: i32,
    /// Where it begins, in bytes.
    from: u64,
    /// How long it is.
    length: u64,
    /// The SHA-256 of it.
    sha256: [u8; 32],
}

/// Reads a file part by part for their checksums and that of the whole. Parts are read once more as they are sent, so that
/// none is in memory.
struct Reader {
    path: PathBuf,
    file: File,
    /// How long a part is.
    length: u64,
    read: u64,
    number: i32,
    whole: Sha256,
}

impl Reader {
    fn open(path: &Path, length: u64) -> Result<Self, Refused> {
        let file = File::open(path).map_err(|error| Refused::unread(path, &error.to_string()))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            length,
            read: 0,
            number: 0,
            whole: Sha256::new(),
        })
    }

    /// The next part, read on another thread.
    async fn next(self) -> Result<(Self, Option<Part>), Refused> {
        let path = self.path.clone();
        spawn_blocking(|| self.read())
            .await
            .map_err(|error| Refused::unread(&path, &error.to_string()))?
            .map_err(|error| Refused::unread(&path, &error.to_string()))
    }

    fn read(mut self) -> io::Result<(Self, Option<Part>)> {
        let mut piece = vec![0; PIECE];
        let mut part = Sha256::new();
        let mut length = 0;
        while length < self.length {
            let wanted = usize::try_from(self.length - length).unwrap_or(PIECE).min(PIECE);
            let read = match self.file.read(&mut piece[..wanted]) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if read == 0 {
                break;
            }
            part.update(&piece[..read]);
            self.whole.update(&piece[..read]);
            length += read as u64;
        }
        if length == 0 {
            return Ok((self, None));
        }
        self.number += 1;
        let part = Part {
            number: self.number,
            from: self.read,
            length,
            sha256: part.finalize().into(),
        };
        self.read += length;
        Ok((self, Some(part)))
    }
}

#[cfg(test)]
mod tests {
    use sandbox::stand_ins::aws::{Clock, Hosting};

    use super::*;
    use crate::api::near::bucket;
    use crate::headers::Headers;

    #[tokio::test]
    async fn parts_arrive_whole_at_a_store_that_knows_checksums_and_at_one_that_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.mp4");
        let content: Vec<u8> = (0..PART as usize + 10).map(|at| (at % 251) as u8).collect();
        std::fs::write(&path, &content).unwrap();
        for compatible in [false, true] {
            let hosting = Hosting::open(Clock::manual()).unwrap();
            hosting.settings(|settings| {
                settings.compatible = compatible;
                settings.keep = 2 * PART;
            });
            hosting.stock(|stock| stock.s3.create("site"));
            let put = Put {
                key: "film.mp4",
                body: Body::File(&path, content.len() as u64),
                sha256: Sha256::digest(&content).into(),
                headers: &Headers::of_state("video/mp4"),
                condition: Condition::None,
            };
            let bucket = bucket(&hosting).await;
            bucket.put_in_parts(&path, put).await.unwrap();
            hosting.stock(|stock| assert_eq!(stock.s3.object("site", "film.mp4").unwrap().bytes(), content));
            assert_eq!(hosting.calls("UploadPart").len(), 2);
            // What was hashed before is not what is there now.
            let other = Put {
                sha256: [0; 32],
                ..put
            };
            let refused = bucket.put_in_parts(&path, other).await.unwrap_err();
            assert!(refused.to_string().contains("it changed"), "{refused}");
            assert!(hosting.stock(|stock| stock.s3.uploads("site")).is_empty());
        }
    }

    #[tokio::test]
    async fn parts_make_the_whole_and_have_checksums_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.mp4");
        let length = PIECE as u64 + 3;
        let content: Vec<u8> = (0..2 * PIECE + 10).map(|at| (at % 251) as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let mut reader = Reader::open(&path, length).unwrap();
        let mut parts = Vec::new();
        loop {
            let (back, part) = reader.next().await.unwrap();
            reader = back;
            let Some(part) = part else { break };
            parts.push(part);
        }
        assert_eq!(
            reader.whole.finalize().as_slice(),
            Sha256::digest(&content).as_slice()
        );
        assert_eq!(
            parts.iter().map(|part| part.number).collect::<Vec<_>>(),
            [1, 2, 3]
        );
        let mut from = 0;
        for part in parts {
            let bytes = &content[from..from + part.length as usize];
            assert_eq!(
                (part.from, part.sha256),
                (from as u64, Sha256::digest(bytes).into())
            );
            from += bytes.len();
        }
        assert_eq!(from, content.len());
    }

    #[tokio::test]
    async fn a_file_that_is_gone_has_no_parts() {
        let folder = tempfile::tempdir().unwrap();
        let refused = Reader::open(&folder.path().join("none"), PART).err().unwrap();
        assert!(refused.to_string().contains("failed to read"), "{refused}");
    }
}
