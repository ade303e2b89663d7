//! What a Linux program says of itself in its ELF headers: the machine it is for, and what it needs at run time.
//!
//! A static program has neither an interpreter (`PT_INTERP`) nor needed libraries (`DT_NEEDED`); a static-pie one has a
//! dynamic section all the same. See [elf(5)](https://man7.org/linux/man-pages/man5/elf.5.html).

use object::Endianness;
use object::elf::{DT_NEEDED, EM_AARCH64, EM_X86_64, FileHeader64, PT_DYNAMIC};
use object::read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _};

/// The processor a program is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Machine {
    /// 64-bit x86.
    X86_64,
    /// 64-bit Arm.
    Aarch64,
}

impl Machine {
    /// The name in a target triple, and nearly always `uname -m`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }
}

/// What the headers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The processor, when it is one we know.
    pub machine: Option<Machine>,
    /// The dynamic loader it asks for.
    pub interpreter: Option<String>,
    /// How many shared libraries it needs.
    pub libraries: usize,
}

impl Program {
    /// Whether it runs on any Linux of its machine, without a loader or a library.
    #[must_use]
    pub fn is_static(&self) -> bool {
        self.interpreter.is_none() && self.libraries == 0
    }
}

/// The file is no 64-bit ELF program that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no readable 64-bit ELF program: {0}")]
pub struct NotElf(String);

/// Reads the headers of a program.
///
/// # Errors
/// When the bytes are no 64-bit ELF file or its headers point outside it.
pub fn inspect(data: &[u8]) -> Result<Program, NotElf> {
    let not_elf = |error: object::Error| NotElf(error.to_string().to_lowercase());
    let header = FileHeader64::<Endianness>::parse(data).map_err(not_elf)?;
    let endian = header.endian().map_err(not_elf)?;
    let machine = match header.e_machine(endian) {
        EM_X86_64 => Some(Machine::X86_64),
        EM_AARCH64 => Some(Machine::Aarch64),
        _ => None,
    };
    let mut program = Program {
        machine,
        interpreter: None,
        libraries: 0,
    };
    let segments = header.program_headers(endian, data).map_err(not_elf)?;
    if segments.is_empty() {
        return Err(NotElf("it has no program headers".to_owned()));
    }
    for segment in segments {
        if let Some(path) = segment.interpreter(endian, data).map_err(not_elf)? {
            program.interpreter = Some(String::from_utf8_lossy(path).into_owned());
        }
        if segment.p_type(endian) == PT_DYNAMIC {
            let entries = segment
                .dynamic(endian, data)
                .map_err(not_elf)?
                .unwrap_or_default();
            program.libraries += entries
                .iter()
                .filter(|entry| entry.tag(endian) == DT_NEEDED)
                .count();
        }
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A test binary is built for the host and linked dynamically on every Linux that cargo defaults to.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[test]
    fn this_program_is_dynamic() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let program = inspect(&bytes).unwrap();
        assert_eq!(program.machine.unwrap().name(), std::env::consts::ARCH);
        assert!(program.interpreter.as_ref().unwrap().contains("ld-linux"));
        assert!(program.libraries > 0 && !program.is_static());
    }

    #[test]
    fn text_is_not_a_program() {
        assert!(inspect(b"#!/bin/sh\n").is_err());
        assert!(inspect(b"").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 64..400)) {
            let _ = inspect(&bytes);
            bytes[..8].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0]);
            let _ = inspect(&bytes);
        }
    }
}
