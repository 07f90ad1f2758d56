//! In which order files go to the bucket. No threads, no requests: only the order.

use std::collections::VecDeque;

use bytes::Bytes;

/// How a file depends on those that were committed before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Rows, keys, masks, parts, the trace: nobody looks at them before a manifest names them.
    Data,
    /// After all data that were committed before it. Made only where there is none.
    Manifest,
    /// After all that was committed before it, and before all that is committed after it.
    Document,
    /// Tells how far things are: at any time, the newest alone.
    Progress,
    /// A file that has gone: like a document, but among others of its kind in any order.
    Removal,
}

/// A file on its way.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) key: String,
    pub(super) kind: Kind,
    /// Its bytes; None: they are in the copy, and stay as they are until the file is replaced.
    pub(super) content: Option<Bytes>,
    pub(super) bytes: u64,
    number: u64,
}

impl Item {
    pub(super) fn new(key: String, kind: Kind, content: Option<Bytes>, bytes: u64) -> Self {
        Self {
            key,
            kind,
            content,
            bytes,
            number: 0,
        }
    }

    /// What a manifest has in common with its data file.
    fn stem(&self) -> &str {
        let name = self.key.rfind('/').map_or(0, |at| at + 1);
        match self.key[name..].find('.') {
            // A hidden name begins with a dot.
            Some(dot) if dot > 0 => &self.key[..name + dot],
            _ => &self.key,
        }
    }

    /// Whether `self` has to wait for `earlier`.
    fn follows(&self, earlier: &Self) -> bool {
        use Kind::*;
        if self.key == earlier.key {
            return true;
        }
        match (earlier.kind, self.kind) {
            (Progress, _) | (_, Progress) => false,
            (Removal, Removal) => self.stem() == earlier.stem(),
            (Document | Removal, _) | (_, Document | Removal) => true,
            (Data, Manifest) => true,
            (Data | Manifest, Data) | (Manifest, Manifest) => self.stem() == earlier.stem(),
        }
    }
}

/// What waits and what is being sent, in the order in which it was committed.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Item>,
    sending: Vec<Item>,
    bytes: u64,
    count: u64,
}

impl Queue {
    pub(super) fn push(&mut self, mut item: Item) {
        if item.kind == Kind::Progress
            && let Some(at) = self.waiting.iter().position(|other| other.key == item.key)
            && let Some(older) = self.waiting.remove(at)
        {
            self.bytes -= older.bytes;
        }
        self.count += 1;
        item.number = self.count;
        self.bytes += item.bytes;
        self.waiting.push_back(item);
    }

    /// The first that may be sent now.
    pub(super) fn take(&mut self) -> Option<Item> {
        let is_free = |at: usize| {
            let item = &self.waiting[at];
            let mut earlier = self.waiting.iter().take(at).chain(&self.sending);
            !earlier.any(|other| other.number < item.number && item.follows(other))
        };
        let mut free = None;
        for at in 0..self.waiting.len() {
            if is_free(at) {
                free = Some(at);
                break;
            }
            // Whatever comes later waits for it, too.
            if matches!(self.waiting[at].kind, Kind::Document) {
                break;
            }
        }
        let item = self.waiting.remove(free?)?;
        self.sending.push(item.clone());
        Some(item)
    }

    /// It is in the bucket.
    pub(super) fn sent(&mut self, item: &Item) {
        self.sending.retain(|other| other.number != item.number);
        self.bytes -= item.bytes;
    }

    /// Forgets all that waits: nothing more is sent.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.bytes = self.sending.iter().map(|item| item.bytes).sum();
    }

    /// Forgets what waits and whose key is of no use any more.
    pub(super) fn forget(&mut self, is_of_no_use: impl Fn(&str) -> bool) {
        let bytes = &mut self.bytes;
        self.waiting.retain(|item| {
            let stays = !is_of_no_use(&item.key);
            *bytes -= if stays { 0 } else { item.bytes };
            stays
        });
    }

    /// Whether all is in the bucket.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.sending.is_empty()
    }

    /// Whether a file of this name is on its way.
    pub(super) fn has(&self, key: &str) -> bool {
        let mut all = self.waiting.iter().chain(&self.sending);
        all.any(|item| item.key == key)
    }

    /// Bytes on their way.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Files on their way.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.sending.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(items: &[(&str, Kind)]) -> Queue {
        let mut queue = Queue::default();
        for (key, kind) in items {
            queue.push(Item::new((*key).to_owned(), *kind, None, 10));
        }
        queue
    }

    /// All that may be sent now, without anything of it being done.
    fn ready(queue: &mut Queue) -> Vec<Item> {
        std::iter::from_fn(|| queue.take()).collect()
    }

    fn names(items: &[Item]) -> Vec<&str> {
        items.iter().map(|item| item.key.as_str()).collect()
    }

    #[test]
    fn data_go_side_by_side_and_manifests_after_them() {
        use Kind::*;
        let mut queue = queue(&[
            ("parts/part_0000.jsonl", Data),
            ("trace/a", Data),
            ("parts/part_0000.manifest.json", Manifest),
            ("parts/part_0001.jsonl", Data),
            ("parts/part_0001.manifest.json", Manifest),
            ("metadata/result.json", Document),
            ("job_summary.json", Document),
        ]);
        let first = ready(&mut queue);
        assert_eq!(
            names(&first),
            ["parts/part_0000.jsonl", "trace/a", "parts/part_0001.jsonl"]
        );
        queue.sent(&first[0]);
        queue.sent(&first[1]);
        let second = ready(&mut queue);
        assert_eq!(names(&second), ["parts/part_0000.manifest.json"]);
        queue.sent(&first[2]);
        let third = ready(&mut queue);
        assert_eq!(names(&third), ["parts/part_0001.manifest.json"]);
        queue.sent(&second[0]);
        assert!(ready(&mut queue).is_empty());
        queue.sent(&third[0]);
        let result = ready(&mut queue);
        assert_eq!(names(&result), ["metadata/result.json"]);
        queue.sent(&result[0]);
        let summary = ready(&mut queue);
        assert_eq!(names(&summary), ["job_summary.json"]);
        queue.sent(&summary[0]);
        assert!(queue.is_empty() && queue.bytes() == 0);
    }

    #[test]
    fn a_file_does_not_pass_an_earlier_one_of_its_name() {
        use Kind::*;
        let mut queue = queue(&[
            ("c/x.manifest.json", Manifest),
            ("c/x.parquet", Data),
            ("c/x.manifest.json", Removal),
            ("c/y.parquet", Removal),
            ("c/x.parquet", Data),
        ]);
        for expected in [
            vec!["c/x.manifest.json"],
            vec!["c/x.parquet"],
            vec!["c/x.manifest.json", "c/y.parquet"],
            vec!["c/x.parquet"],
        ] {
            let now = ready(&mut queue);
            assert_eq!(names(&now), expected);
            now.iter().for_each(|item| queue.sent(item));
        }
    }

    #[test]
    fn of_progress_only_the_newest_waits() {
        use Kind::*;
        let mut queue = queue(&[
            ("a", Data),
            ("m", Progress),
            ("d", Document),
            ("m", Progress),
        ]);
        assert_eq!(queue.len(), 3);
        let now = ready(&mut queue);
        assert_eq!(
            names(&now),
            ["a"],
            "a document holds back what comes after it"
        );
        queue.forget(|key| key == "d");
        assert_eq!((queue.len(), queue.bytes()), (2, 20));
        queue.clear();
        assert_eq!((queue.len(), queue.bytes()), (1, 10));
        assert!(queue.has("a") && !queue.has("m"));
    }
}
