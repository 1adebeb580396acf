//! Which of the kernel's tables of routes are ours: one for each tunnel that enforces its routes.

/// The table of the interface with number N is this one plus N, which is no number that others
/// are known to take, and easily read.
const FIRST_TABLE: u32 = 35_001_000;
/// How many numbers of interfaces have a table each.
const TABLES: u32 = 1 << 24;

/// The table of the interface with number `device`.
pub fn table_of(device: u32) -> u32 {
    FIRST_TABLE + device % TABLES
}

/// The number of the interface that `table`, which is ours, is for.
pub fn device_of(table: u32) -> u32 {
    table.saturating_sub(FIRST_TABLE)
}

/// Whether `table` is one of ours.
pub fn is_own_table(table: u32) -> bool {
    (FIRST_TABLE..FIRST_TABLE + TABLES).contains(&table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_interface_has_a_table_of_its_own() {
        assert_ne!(table_of(7), table_of(8));
        assert_eq!(device_of(table_of(7)), 7);
        assert!(is_own_table(table_of(0)) && is_own_table(table_of(u32::MAX)));
        for table in [0, 100, 253, 254, 255, 51820, u32::MAX] {
            assert!(!is_own_table(table), "{table}");
        }
    }
}
