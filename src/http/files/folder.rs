//! The folder of the static files: opens what is in it, and nothing outside of it.
//!
//! What the kernel has in memory is opened and read by the thread that asks for it: handing it to
//! another costs several times as much. A blocking thread does the rest.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Cursor, IoSliceMut, SeekFrom},
    os::{fd::AsRawFd, unix::fs::OpenOptionsExt},
    path::{Component, Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use rustix::{
    fs::{CWD, Mode, OFlags, ResolveFlags, openat2},
    io::{Errno, ReadWriteFlags, preadv2},
};
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tower_http::services::fs::Backend;

/// Files up to this size are read when they are opened.
const SMALL: u64 = 64 * 1024;

/// The folder that everything served is in, for one request.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    root: Arc<Path>,
    /// The file whose metadata were asked for last: as a rule it is opened next.
    last: Arc<Mutex<Option<(PathBuf, Found)>>>,
}

impl Folder {
    pub(super) fn new(root: Arc<Path>) -> Self {
        Self {
            root,
            last: Arc::default(),
        }
    }

    /// Returns what is at a path in the folder. Returns `None` if the kernel would have to wait for
    /// a disk to find or read it, or cannot tell whether it is inside.
    fn find_cached(&self, path: &Path) -> Option<io::Result<Found>> {
        let cached = ResolveFlags::CACHED;
        let place = OFlags::PATH | OFlags::CLOEXEC;
        let root = openat2(CWD, &*self.root, place, Mode::empty(), cached).ok()?;
        let inside = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | cached;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match openat2(root, path, flags, Mode::empty(), inside) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Some(Err(io::ErrorKind::NotFound.into())),
            Err(_) => return None,
        };
        Found::new(file, ReadWriteFlags::NOWAIT).ok().map(Ok)
    }

    /// Returns what is at a path in the folder, on any kernel. Symbolic links may not leave the
    /// folder. May wait.
    fn find(&self, path: &Path) -> io::Result<Found> {
        let mut full = self.root.to_path_buf();
        for component in path.components() {
            match component {
                Component::Normal(name) => full.push(name),
                Component::CurDir => {}
                _ => return Err(io::ErrorKind::NotFound.into()),
            }
        }
        // The place alone: what is there may be a pipe, or a device outside of the folder.
        let place = |path: &Path| {
            let mut options = OpenOptions::new();
            options.read(true).custom_flags(libc::O_PATH).open(path)
        };
        let root = place(&self.root)?;
        let found = place(&full)?;
        // A name could lead to another place by now; a descriptor cannot.
        let is_inside =
            fs::read_link(descriptor(&found))?.starts_with(fs::read_link(descriptor(&root))?);
        if !is_inside {
            return Err(io::ErrorKind::NotFound.into());
        }
        if !found.metadata()?.is_file() {
            return Found::new(found, ReadWriteFlags::empty());
        }
        Found::new(File::open(descriptor(&found))?, ReadWriteFlags::empty())
    }

    /// Returns what is at a path in the folder, with the help of a blocking thread if need be.
    async fn look_up(&self, path: &Path) -> io::Result<Found> {
        if let Some(found) = self.find_cached(path) {
            return found;
        }
        let folder = self.clone();
        let path = path.to_owned();
        tokio::task::spawn_blocking(move || folder.find(&path)).await?
    }
}

impl Backend for Folder {
    type File = Opened;
    type Metadata = Metadata;
    type OpenFuture = BoxFuture<'static, io::Result<Opened>>;
    type MetadataFuture = BoxFuture<'static, io::Result<Metadata>>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        let last = self.last.lock().take_if(|(known, _)| *known == path);
        let folder = self.clone();
        Box::pin(async move {
            let found = match last {
                Some((_, found)) => found,
                None => folder.look_up(&path).await?,
            };
            let Found { metadata, content } = found;
            let content = content.ok_or(io::ErrorKind::NotFound)?;
            Ok(Opened { metadata, content })
        })
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        let folder = self.clone();
        Box::pin(async move {
            let found = folder.look_up(&path).await?;
            let metadata = found.metadata.clone();
            *folder.last.lock() = Some((path, found));
            Ok(metadata)
        })
    }
}

/// Metadata whose time is one that HTTP can write.
#[derive(Clone, Debug)]
pub(super) struct Metadata(fs::Metadata);

impl tower_http::services::fs::Metadata for Metadata {
    fn is_dir(&self) -> bool {
        self.0.is_dir()
    }

    fn modified(&self) -> io::Result<SystemTime> {
        self.0.modified().and_then(time_of_http)
    }

    fn len(&self) -> u64 {
        self.0.len()
    }
}

/// Seconds from 1970 to the year 10000.
const END_OF_HTTP: Duration = Duration::from_secs(253_402_300_800);

/// Returns a time that HTTP can write, from 1970 to 9999; others make the server panic.
fn time_of_http(time: SystemTime) -> io::Result<SystemTime> {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) if since < END_OF_HTTP => Ok(time),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Returns a path that leads to an open file, for as long as it is open.
fn descriptor(file: &File) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// A file, folder or device.
#[derive(Debug)]
struct Found {
    metadata: Metadata,
    /// `None` if it is no file.
    content: Option<Content>,
}

impl Found {
    fn new(file: File, flags: ReadWriteFlags) -> io::Result<Self> {
        let metadata = Metadata(file.metadata()?);
        let content = if !metadata.0.is_file() {
            None
        } else if metadata.0.len() <= SMALL {
            let mut bytes = vec![0; metadata.0.len() as usize];
            let count = preadv2(file, &mut [IoSliceMut::new(&mut bytes)], 0, flags)?;
            if count < bytes.len() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Some(Content::Memory(Cursor::new(bytes)))
        } else {
            Some(Content::File(tokio::fs::File::from_std(file)))
        };
        Ok(Self { metadata, content })
    }
}

/// An open file.
#[derive(Debug)]
pub(super) struct Opened {
    metadata: Metadata,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Memory(Cursor<Vec<u8>>),
    File(tokio::fs::File),
}

impl tower_http::services::fs::File for Opened {
    type Metadata = Metadata;
    type MetadataFuture<'a> = std::future::Ready<io::Result<Metadata>>;

    fn metadata(&self) -> Self::MetadataFuture<'_> {
        std::future::ready(Ok(self.metadata.clone()))
    }
}

impl AsyncRead for Opened {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.content {
            Content::Memory(bytes) => Pin::new(bytes).poll_read(context, buffer),
            Content::File(file) => Pin::new(file).poll_read(context, buffer),
        }
    }
}

impl AsyncSeek for Opened {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        match &mut self.content {
            Content::Memory(bytes) => Pin::new(bytes).start_seek(position),
            Content::File(file) => Pin::new(file).start_seek(position),
        }
    }

    fn poll_complete(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<u64>> {
        match &mut self.content {
            Content::Memory(bytes) => Pin::new(bytes).poll_complete(context),
            Content::File(file) => Pin::new(file).poll_complete(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_time_that_http_cannot_write_is_none() {
        let start = SystemTime::UNIX_EPOCH;
        let tick = Duration::from_nanos(1);
        for (time, good) in [
            (start - tick, false),
            (start, true),
            (start + END_OF_HTTP - tick, true),
            (start + END_OF_HTTP, false),
        ] {
            assert_eq!(time_of_http(time).is_ok(), good, "{time:?}");
        }
    }

    #[test]
    fn both_ways_find_what_is_in_the_folder_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("www");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::write(parent.path().join("secret"), "secret").unwrap();
        fs::write(root.join("file"), "file").unwrap();
        for (target, link) in [
            ("../secret", "relative"),
            ("/etc/passwd", "absolute"),
            ("..", "up"),
            ("/proc/self", "proc"),
            ("file", "inside"),
            ("../file", "sub/inside"),
            ("nowhere", "dangling"),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
        let folder = Folder::new(root.into());
        for (path, inside) in [
            ("file", true),
            ("./file", true),
            ("inside", true),
            ("sub/inside", true),
            ("relative", false),
            ("absolute", false),
            ("up/secret", false),
            ("proc/status", false),
            ("dangling", false),
            ("nothing", false),
            ("../secret", false),
            ("sub/../../secret", false),
            ("/etc/passwd", false),
            ("file/more", false),
            ("file\0", false),
        ] {
            let path = Path::new(path);
            for found in [Some(folder.find(path)), folder.find_cached(path)] {
                let Some(found) = found else { continue };
                match found.map(|found| found.content) {
                    Ok(Some(Content::Memory(bytes))) => {
                        assert!(inside, "{path:?}");
                        assert_eq!(bytes.into_inner(), b"file");
                    }
                    Ok(other) => panic!("{path:?}: {other:?}"),
                    Err(error) => assert!(!inside, "{path:?}: {error}"),
                }
            }
        }
        for path in [".", "sub"] {
            let found = folder.find(Path::new(path)).unwrap();
            assert!(found.metadata.0.is_dir() && found.content.is_none());
        }
    }
}
