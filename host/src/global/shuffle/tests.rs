//! What comes of pieces is what comes of looking at everything at once.

use std::collections::HashMap;

use anyhow::Result;

use super::sections::ReadAt;
use super::{Finish, Keys, Layout, Matching, SectionFile, find, split};
use crate::global::duplicates::Duplicates;
use crate::global::groups::{Groups, group};
use crate::global::keys::{KeyTable, KeysWriter};
use crate::global::mask::Mask;
use crate::global::{Crew, count_keys, first_of_groups, first_of_keys, first_of_near};
use crate::wasm::{Output, key_hashes};

/// Numbers that look random.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005) + 1_442_695_040_888_963_407;
        (self.0 >> 33) % most
    }
}

/// Key files of partitions of very different sizes, one of them without rows; `print` makes the
/// fingerprints of a row. Some rows are rejected.
fn files(
    (width, per_row): (usize, usize),
    mut print: impl FnMut(&mut Numbers, usize) -> u128,
) -> Vec<Vec<u8>> {
    let mut numbers = Numbers(11);
    let rows = [700, 0, 3, 1_500, 40, 900];
    let files = rows.iter().map(|rows| {
        let mut keys = KeysWriter::new();
        if *rows > 0 {
            let data = (0..*rows)
                .flat_map(|_| (0..per_row).collect::<Vec<_>>())
                .flat_map(|band| print(&mut numbers, band).to_le_bytes()[..width].to_vec())
                .collect();
            let rejected: Vec<usize> = (0..*rows).filter(|_| numbers.below(9) == 0).collect();
            let output = Output::Fingerprints {
                width,
                per_row,
                data,
                valid: None,
            };
            keys.add(*rows, Some(output), &rejected).unwrap();
        }
        keys.finish().unwrap()
    });
    files.collect()
}

fn table(files: &[Vec<u8>], p: usize) -> Result<KeyTable> {
    KeyTable::from_bytes(files[p].clone())
}

fn masks(files: &[Vec<u8>]) -> Vec<Mask> {
    let of = |p| Mask::new(0, table(files, p).unwrap().accepted());
    (0..files.len()).map(of).collect()
}

fn open(bytes: &[u8], sections: usize) -> Result<SectionFile<'_>> {
    let read_at: ReadAt<'_> = Box::new(move |to, at| {
        to.copy_from_slice(&bytes[at as usize..at as usize + to.len()]);
        Ok(())
    });
    let (place, length) = ("here".to_owned(), bytes.len() as u64);
    Ok(SectionFile::new(place, read_at, length, sections))
}

/// Calls `check` with what pieces find, for sections of any size.
fn in_pieces(
    files: &[Vec<u8>],
    matching: Matching,
    shape: (usize, usize),
    check: impl Fn(&Finish<'_>),
) {
    let keys: Vec<Keys> = masks(files)
        .iter()
        .zip(files)
        .map(|(mask, file)| Keys {
            rows: mask.rows() as u64,
            bytes: file.len() as u64,
        })
        .collect();
    let (mut groups, mut pieces) = (Vec::new(), Vec::new());
    for section in [1 << 30, 100_000, 4_000, 300] {
        let layout = Layout::new(matching, shape, &keys, section);
        let tables = |p: usize| table(files, p);
        let splits = (0..layout.groups()).map(|group| split(&layout, group, &tables).unwrap());
        let splits: Vec<Vec<u8>> = splits.collect();
        let splits = |group: usize| open(&splits[group], layout.sections() + 1);
        let found = layout.pieces().into_iter();
        let found: Vec<Vec<u8>> = found
            .map(|sections| find(&layout, sections, &splits).unwrap())
            .collect();
        let found = |piece: usize| open(&found[piece], layout.found_sections());
        check(&Finish::new(&layout, &splits, &found));
        groups.push(layout.groups());
        pieces.push(layout.pieces().len());
    }
    assert!(
        groups.is_sorted() && groups[0] == 1 && groups[3] > 3,
        "{groups:?}"
    );
    assert!(pieces.is_sorted() && pieces[3] > 30, "{pieces:?}");
}

#[test]
fn the_first_of_equal_rows_stays() {
    for width in [8, 16] {
        let files = files((width, 1), |n, _| u128::from(n.below(2_000)) << 20);
        let (mut expected, mut dropped) = (masks(&files), Duplicates::of(files.len()));
        let tables = |p: usize| table(&files, p);
        let crew = Crew::new(1 << 20, 1);
        first_of_keys(&tables, &mut expected, width, &crew, &mut dropped).unwrap();
        let dropped: Vec<_> = (0..files.len()).map(|p| dropped.take(p)).collect();
        in_pieces(&files, Matching::Equal, (width, 1), |finish| {
            assert!(!finish.joins());
            let (mut masks, mut found) = (finish.masks(0).unwrap(), Duplicates::of(files.len()));
            finish.first(&mut masks, &mut found).unwrap();
            assert!(masks == expected);
            (0..files.len()).for_each(|p| assert_eq!(found.take(p), dropped[p]));
        });
    }
}

#[test]
fn rows_with_a_band_in_common_are_one_cluster() {
    let files = files((8, 3), |n, band| u128::from(n.below(6_000)) << (10 * band));
    let (mut expected, mut dropped) = (masks(&files), Duplicates::of(files.len()));
    let tables = |p: usize| table(&files, p);
    let crew = Crew::new(1 << 20, 1);
    first_of_groups(&tables, &mut expected, (8, 3), &crew, &mut dropped).unwrap();
    let dropped: Vec<_> = (0..files.len()).map(|p| dropped.take(p)).collect();
    in_pieces(&files, Matching::Equal, (8, 3), |finish| {
        clusters(finish, &expected, &dropped);
    });
}

/// Checks which rows stay, and which row stands for each of the others.
fn clusters(finish: &Finish<'_>, expected: &[Mask], dropped: &[Vec<(u32, u64)>]) {
    assert!(finish.joins());
    let (mut masks, mut found) = (finish.masks(0).unwrap(), Duplicates::of(expected.len()));
    let start = crate::global::dedup::numbers(&masks).0;
    let mut joined = finish.joined(&masks).unwrap();
    let rows: usize = masks.iter().map(Mask::rows).sum();
    assert!(joined.len() < rows, "all rows have a place");
    joined.keep_first(&mut masks, &start, &mut found);
    assert!(masks == expected);
    for (p, dropped) in dropped.iter().enumerate() {
        assert_eq!(found.take(p), *dropped);
    }
}

#[test]
fn rows_that_differ_in_few_bits_are_one_cluster() {
    let mut bases = Vec::new();
    let files = files((8, 1), |n, _| {
        let print = match bases.len() {
            0..700 => n.below(1 << 31) << 32 | n.below(1 << 31),
            some => bases[n.below(some as u64) as usize] ^ 1 << n.below(64),
        };
        if n.below(3) == 0 || bases.len() < 700 {
            bases.push(print);
        }
        print.into()
    });
    let (mut expected, mut dropped) = (masks(&files), Duplicates::of(files.len()));
    let tables = |p: usize| table(&files, p);
    first_of_near(&tables, &mut expected, 4, 1 << 20, &mut dropped).unwrap();
    let kept: usize = expected.iter().map(Mask::count).sum();
    assert!((100..2_500).contains(&kept), "{kept}");
    let dropped: Vec<_> = (0..files.len()).map(|p| dropped.take(p)).collect();
    in_pieces(&files, Matching::near(4), (8, 1), |finish| {
        clusters(finish, &expected, &dropped);
    });
}

#[test]
fn a_key_is_counted_in_all_partitions() {
    use arrow::array::{ListBuilder, StringBuilder};
    let mut numbers = Numbers(5);
    let files: Vec<Vec<u8>> = [600, 0, 1, 900, 200, 300]
        .into_iter()
        .map(|rows| {
            let mut keys = KeysWriter::new();
            if rows > 0 {
                let mut lists = ListBuilder::new(StringBuilder::new());
                for _ in 0..rows {
                    let of = numbers.below(6);
                    lists.append_value((0..of).map(|_| match numbers.below(900) {
                        0 => Some(String::new()),
                        key => Some(key.to_string()),
                    }));
                }
                let lists = key_hashes(&lists.finish()).unwrap();
                keys.add(rows, Some(Output::KeyLists(lists)), &[]).unwrap();
            }
            keys.finish().unwrap()
        })
        .collect();
    let mut expected = masks(&files);
    let tables = |p: usize| table(&files, p);
    count_keys(&tables, &mut expected, 1 << 20, &std::env::temp_dir()).unwrap();
    in_pieces(&files, Matching::Counted, (8, 1), |finish| {
        let mut masks = finish.masks(0).unwrap();
        finish.counted(&mut masks, &tables).unwrap();
        assert!(masks == expected);
    });
}

#[test]
fn groups_are_where_their_first_row_is() {
    let files = files((16, 1), |n, _| u128::from(n.below(1_200)));
    let tables = |p: usize| table(&files, p);
    let accepted = masks(&files);
    let dir = tempfile::tempdir().unwrap();
    type Found = HashMap<usize, (Groups, Vec<(u32, u64)>)>;
    let mut expected = Found::new();
    let note = |found: &mut Found, p, groups, members: crate::global::EachMember<'_>| {
        let mut all = Vec::new();
        members(&mut |row, leader| all.push((row, leader)))?;
        found.insert(p, (groups, all));
        Ok(())
    };
    group(
        &tables,
        &accepted,
        1 << 20,
        dir.path(),
        |p, groups, members| note(&mut expected, p, groups, members),
    )
    .unwrap();
    in_pieces(&files, Matching::Grouped, (16, 1), |finish| {
        let accepted = finish.masks(0).unwrap();
        let mut found = Found::new();
        finish
            .grouped(&accepted, |p, groups, members| {
                note(&mut found, p, groups, members)
            })
            .unwrap();
        assert!(found == expected);
    });
}

#[test]
fn a_damaged_file_is_refused() {
    let files = files((8, 1), |n, _| u128::from(n.below(500)));
    let keys = [Keys {
        rows: 700,
        bytes: 0,
    }; 6];
    let layout = Layout::new(Matching::Equal, (8, 1), &keys, 1_000);
    let good = split(&layout, 0, &|p| table(&files, p)).unwrap();
    let sections = layout.sections() + 1;
    let read = |bytes: &[u8]| open(bytes, sections)?.read(0..sections).map(drop);
    read(&good).unwrap();
    let said = |bytes: &[u8]| format!("{:#}", read(bytes).unwrap_err());
    for at in [16, good.len() / 2, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(said(&bad).contains("damaged"), "{at}");
    }
    assert!(said(&good[..good.len() - 1]).contains("cut off"));
    let other = open(&good, sections + 1).unwrap();
    assert!(other.read(0..1).is_err());
}
