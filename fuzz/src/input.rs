//! What an input means, and how it is mutated: part by part, so that a spool stays a spool.

use libfuzzer_sys::fuzzer_mutate;

/// Between two parts, each of which is a name, a NUL and its bytes.
const SEAM: &[u8] = b"\n\0@@";

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A spool or exports: scanned, reported in every format, forecast, and planned on.
    Spool,
    /// A listing, read in one format.
    Listing,
    /// A report that is read back.
    Report,
    /// A manifest.
    Manifest,
    /// A journal; its sums are made to fit if the choice is odd.
    Journal,
    /// What a server answers; by SMTP if the choice is odd, else by LMTP.
    Smtp,
    /// A message and addresses: its hash, and a report about it.
    Notice,
}

const KINDS: [Kind; 7] =
    [Kind::Spool, Kind::Listing, Kind::Report, Kind::Manifest, Kind::Journal, Kind::Smtp, Kind::Notice];

/// An input in its parts.
#[derive(Debug, Clone)]
pub struct Input {
    /// What is tried.
    pub kind: Kind,
    /// Which source, format or way.
    pub choice: u8,
    /// Names and bytes.
    pub parts: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Input {
    /// Reads an input; one that is too short is none.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let [kind, choice, rest @ ..] = data else { return None };
        let kind = KINDS[usize::from(*kind) % KINDS.len()];
        let mut parts = Vec::new();
        let mut rest = rest;
        while !rest.is_empty() {
            let end = find(rest, SEAM).unwrap_or(rest.len());
            let (part, after) = rest.split_at(end);
            let name = part.iter().position(|byte| *byte == 0).unwrap_or(part.len());
            parts.push((part[..name].to_vec(), part.get(name + 1..).unwrap_or_default().to_vec()));
            rest = after.get(SEAM.len()..).unwrap_or_default();
        }
        Some(Self { kind, choice: *choice, parts })
    }

    /// The bytes that [`Input::parse`] reads.
    pub fn bytes(&self) -> Vec<u8> {
        let kind = KINDS.iter().position(|kind| *kind == self.kind).unwrap_or_default();
        let mut bytes = vec![u8::try_from(kind).unwrap_or_default(), self.choice];
        for (number, (name, content)) in self.parts.iter().enumerate() {
            if number > 0 {
                bytes.extend_from_slice(SEAM);
            }
            bytes.extend_from_slice(name);
            bytes.push(0);
            bytes.extend_from_slice(content);
        }
        bytes
    }

    /// The bytes of the first part of this name.
    pub fn part(&self, name: &str) -> Option<&[u8]> {
        self.parts.iter().find(|(part, _)| part == name.as_bytes()).map(|(_, bytes)| bytes.as_slice())
    }

    /// The bytes of all parts, one after the other.
    pub fn joined(&self) -> Vec<u8> {
        self.parts.iter().flat_map(|(_, bytes)| bytes).copied().collect()
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// Mutates one part, its name, or the parts as a whole; now and then the bytes as they are.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let changed =
        (seed % 8 != 0).then(|| Input::parse(&data[..size])).flatten().and_then(|input| changed(input, seed));
    match changed.map(|input| input.bytes()).filter(|bytes| bytes.len() <= max_size) {
        Some(bytes) => {
            data[..bytes.len()].copy_from_slice(&bytes);
            bytes.len()
        }
        None => fuzzer_mutate(data, size, max_size),
    }
}

fn changed(mut input: Input, seed: u32) -> Option<Input> {
    let random = usize::try_from(seed.wrapping_mul(2_654_435_761) >> 8).ok()?;
    let count = input.parts.len();
    let at = random.checked_rem(count)?;
    match seed / 8 % 16 {
        0 => {
            input.parts.remove(at);
        }
        // A second file with the same bytes, under a name that the next mutations will find.
        1 => {
            let (name, bytes) = input.parts[at].clone();
            input.parts.push((grown(name, seed), bytes));
        }
        2 => input.parts[at].0 = grown(std::mem::take(&mut input.parts[at].0), seed),
        3 => {
            let other = (random / 7) % count;
            input.parts[at].1 = input.parts[other].1.clone();
        }
        4 => {
            let cut = random.checked_rem(input.parts[at].1.len())?;
            input.parts[at].1.truncate(cut);
        }
        _ => input.parts[at].1 = grown(std::mem::take(&mut input.parts[at].1), seed),
    }
    Some(input)
}

fn grown(mut bytes: Vec<u8>, seed: u32) -> Vec<u8> {
    let size = bytes.len();
    let most = size + 64 + usize::try_from(seed % 512).unwrap_or_default();
    bytes.resize(most, 0);
    let size = fuzzer_mutate(&mut bytes, size, most);
    bytes.truncate(size);
    bytes
}
