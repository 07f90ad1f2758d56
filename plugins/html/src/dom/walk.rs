//! Going through a tree.

use super::{Dom, Id, NIL, Span, Tag, Tags};

impl Dom {
    fn some(index: u32) -> Option<Id> {
        (index != NIL).then_some(Id(index))
    }

    pub(crate) fn parent(&self, id: Id) -> Option<Id> {
        Self::some(self.node(id).parent)
    }

    pub(crate) fn first(&self, id: Id) -> Option<Id> {
        Self::some(self.node(id).first)
    }

    pub(crate) fn last(&self, id: Id) -> Option<Id> {
        Self::some(self.node(id).last)
    }

    pub(crate) fn next(&self, id: Id) -> Option<Id> {
        Self::some(self.node(id).next)
    }

    pub(crate) fn prev(&self, id: Id) -> Option<Id> {
        Self::some(self.node(id).prev)
    }

    /// Whether it has no children.
    pub(crate) fn is_leaf(&self, id: Id) -> bool {
        self.node(id).first == NIL
    }

    pub(crate) fn children(&self, id: Id) -> impl Iterator<Item = Id> {
        let mut next = self.first(id);
        std::iter::from_fn(move || {
            let child = next?;
            next = self.next(child);
            Some(child)
        })
    }

    /// How many children it has, counted up to `most`.
    pub(crate) fn count_children(&self, id: Id, most: usize) -> usize {
        self.children(id).take(most).count()
    }

    pub(crate) fn ancestors(&self, id: Id) -> impl Iterator<Item = Id> {
        let mut next = self.parent(id);
        std::iter::from_fn(move || {
            let ancestor = next?;
            next = self.parent(ancestor);
            Some(ancestor)
        })
    }

    /// The root of the tree that it is in.
    pub(crate) fn root(&self, id: Id) -> Id {
        self.ancestors(id).last().unwrap_or(id)
    }

    /// The element that begins next after `id` in the tree under `top`.
    pub(crate) fn following(&self, id: Id, top: Id) -> Option<Id> {
        self.first(id).or_else(|| self.following_outside(id, top))
    }

    /// The element that begins next after the end of `id` in the tree under `top`.
    pub(crate) fn following_outside(&self, id: Id, top: Id) -> Option<Id> {
        let mut at = id;
        loop {
            if at == top {
                return None;
            }
            if let Some(next) = self.next(at) {
                return Some(next);
            }
            at = self.parent(at)?;
        }
    }

    /// `top` and all in it, in the order in which they begin. The tree must not change meanwhile.
    pub(crate) fn iter(&self, top: Id) -> impl Iterator<Item = Id> {
        let mut next = Some(top);
        std::iter::from_fn(move || {
            let id = next?;
            next = self.following(id, top);
            Some(id)
        })
    }

    /// All in `top`.
    pub(crate) fn descendants(&self, top: Id) -> impl Iterator<Item = Id> {
        self.iter(top).skip(1)
    }

    /// All in `top` with one of these names, as a list.
    pub(crate) fn find_all(&self, top: Id, tags: Tags) -> Vec<Id> {
        self.descendants(top)
            .filter(|&id| tags.has(self.tag(id)))
            .collect()
    }

    /// The first in `top` of this name.
    pub(crate) fn find(&self, top: Id, tag: Tag) -> Option<Id> {
        self.descendants(top).find(|&id| self.tag(id) == tag)
    }

    /// Whether `top` has anything of this name.
    pub(crate) fn contains(&self, top: Id, tag: Tag) -> bool {
        self.find(top, tag).is_some()
    }

    /// Goes through `top` and all in it while the tree changes, as lxml does: the next element is
    /// chosen before `visit` sees the current one, so after a removal the walk goes on in what was
    /// removed, and ends with it.
    pub(crate) fn visit(&mut self, top: Id, tags: Tags, mut visit: impl FnMut(&mut Dom, Id)) {
        let matching = |dom: &Dom, mut from: Option<Id>| {
            while let Some(id) = from {
                if tags.has(dom.tag(id)) {
                    return Some(id);
                }
                from = dom.following(id, top);
            }
            None
        };
        let mut next = matching(self, Some(top));
        while let Some(id) = next {
            next = matching(self, self.following(id, top));
            visit(self, id);
        }
    }

    /// The texts in `top` in their order, without the one after its end.
    pub(crate) fn texts(&self, top: Id) -> impl Iterator<Item = &str> {
        self.text_spans(top).map(|span| self.str(span))
    }

    /// Like [`Dom::texts`], as spans.
    pub(crate) fn text_spans(&self, top: Id) -> impl Iterator<Item = Span> {
        enum At {
            Start(Id),
            End(Id),
        }
        let mut next = Some(At::Start(top));
        std::iter::from_fn(move || {
            loop {
                let span = match next.take()? {
                    At::Start(id) => {
                        next = Some(match self.first(id) {
                            Some(child) => At::Start(child),
                            None => At::End(id),
                        });
                        self.text(id)
                    }
                    At::End(id) if id == top => return None,
                    At::End(id) => {
                        next = match self.next(id) {
                            Some(sibling) => Some(At::Start(sibling)),
                            None => self.parent(id).map(At::End),
                        };
                        self.tail(id)
                    }
                };
                if !span.is_empty() {
                    return Some(span);
                }
            }
        })
    }

    /// Whether there is a text in `top` that is not only white space.
    pub(crate) fn has_text(&self, top: Id) -> bool {
        self.text_spans(top).any(|span| self.has_chars(span))
    }
}
