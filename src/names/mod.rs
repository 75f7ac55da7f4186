//! The names that people give to nodes and sensors.
//!
//! A [`Document`] has an [`Entry`] for each [`Subject`] that has a name. [`Names`] keeps the
//! document, in a file if there is one, and tells those who wait when it changes.

mod document;
mod store;
mod subject;

pub(crate) use self::{
    document::MAX_BYTES,
    store::{ChangeError, Names},
};
pub use self::{
    document::{Document, Entry},
    subject::{Subject, SubjectError},
};
