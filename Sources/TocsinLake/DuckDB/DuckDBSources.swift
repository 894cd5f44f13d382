import CDuckDB
import Synchronization
import TocsinCore

/// The sources of one database by the name of their function; functions stay, sources come and go.
final class DuckDBSources: Sendable {
    /// What stands behind one function: replaceable, because DuckDB's functions cannot be removed.
    final class Slot: Sendable {
        let name: String
        let source = Mutex<(any DuckDBTableSource)?>(nil)
        let sources: Failures
        init(name: String, failures: Failures) {
            self.name = name
            sources = failures
        }
    }

    /// The last error that a source threw, with the text under which DuckDB reports it.
    final class Failures: Sendable {
        let last = Mutex<(text: String, error: any Error)?>(nil)
    }

    private let slots = Mutex<[String: Slot]>([:])
    private let failures = Failures()

    /// - Returns: the slot, and whether its function must be made.
    func slot(_ name: String, source: any DuckDBTableSource) -> (slot: Slot, isNew: Bool) {
        slots.withLock { slots in
            let old = slots[name]
            let slot = old ?? Slot(name: name, failures: failures)
            slots[name] = slot
            slot.source.withLock { $0 = source }
            return (slot, old == nil)
        }
    }

    /// The function stays and refuses from now on.
    func remove(_ name: String) {
        slots.withLock { slots in slots[name]?.source.withLock { $0 = nil } }
    }

    func forget(_ name: String) { slots.withLock { slots in slots[name] = nil } }

    func takeFailure(in message: String) -> (any Error)? {
        failures.last.withLock { last in
            guard let failure = last, message.contains(failure.text) else { return nil }
            last = nil
            return failure.error
        }
    }
}

extension DuckDBConnection {
    /// Makes the source readable as `name()` in every connection of this database; a name used before is replaced.
    /// The source is kept until `unregister` or the end of the database.
    public func register(_ source: any DuckDBTableSource, as name: String) throws {
        for column in source.columns where column.type.logical == nil {
            throw TocsinError(.lake, "Column \(column.name) of \(name) has a type that sources cannot write.")
        }
        let (slot, isNew) = database.sources.slot(name, source: source)
        guard isNew else { return }
        var function = tdk_create_table_function()
        defer { tdk_destroy_table_function(&function) }
        tdk_table_function_set_name(function, name)
        tdk_table_function_set_extra_info(function, Unmanaged.passRetained(slot).toOpaque(), DuckDBScan.release)
        tdk_table_function_set_bind(function, DuckDBScan.bind)
        tdk_table_function_set_init(function, DuckDBScan.begin)
        tdk_table_function_set_function(function, DuckDBScan.scan)
        tdk_table_function_supports_projection_pushdown(function, true)
        if withHandle({ tdk_register_table_function($0, function) }) != 0 {
            database.sources.forget(name)
            throw TocsinError(.lake, "DuckDB refuses a table function of the name \(name).")
        }
    }

    /// Lets the source go; queries of `name()` fail from now on, those that run go on.
    public func unregister(_ name: String) { database.sources.remove(name) }
}
