import CDuckDB
import Synchronization
import TocsinCore

/// The four calls by which DuckDB reads a source.
///
/// Objects pass through C as retained references; DuckDB releases each by `release`.
final class DuckDBScan {
    /// What a query knows of a source from its planning on.
    final class Binding {
        let slot: DuckDBSources.Slot
        let source: any DuckDBTableSource
        let columns: [DuckDBColumn]
        init(slot: DuckDBSources.Slot, source: any DuckDBTableSource) {
            self.slot = slot
            self.source = source
            columns = source.columns
        }
    }

    let binding: Binding
    let reader: any DuckDBRowReader
    /// For each column of the source its place in DuckDB's chunks; nil: not wanted by the query.
    let places: [Int?]

    init(binding: Binding, reader: any DuckDBRowReader, places: [Int?]) {
        self.binding = binding
        self.reader = reader
        self.places = places
    }

    static let release: tdk_delete_callback = { data in
        if let data { Unmanaged<AnyObject>.fromOpaque(data).release() }
    }

    static let bind: tdk_bind_callback = { info in
        guard let extra = tdk_bind_get_extra_info(info) else { return }
        let slot = Unmanaged<DuckDBSources.Slot>.fromOpaque(extra).takeUnretainedValue()
        guard let source = slot.source.withLock({ $0 }) else {
            return tdk_bind_set_error(info, "no rows stand behind \(slot.name)() any more")
        }
        let binding = Binding(slot: slot, source: source)
        for column in binding.columns {
            guard let type = column.type.logical else {
                return tdk_bind_set_error(
                    info, "column \(column.name) of \(slot.name)() has a type that cannot be made")
            }
            tdk_bind_add_result_column(info, column.name, type.handle)
        }
        if let rows = source.estimatedRowCount { tdk_bind_set_cardinality(info, UInt64(clamping: rows), false) }
        tdk_bind_set_bind_data(info, Unmanaged.passRetained(binding).toOpaque(), release)
    }

    static let begin: tdk_init_callback = { info in
        guard let data = tdk_init_get_bind_data(info) else { return }
        let binding = Unmanaged<Binding>.fromOpaque(data).takeUnretainedValue()
        var places = [Int?](repeating: nil, count: binding.columns.count)
        for place in 0..<tdk_init_get_column_count(info) {
            // Row ids and the like have numbers beyond the columns.
            let column = Int(clamping: tdk_init_get_column_index(info, place))
            if places.indices.contains(column) { places[column] = Int(place) }
        }
        do {
            let scan = try DuckDBScan(binding: binding, reader: binding.source.open(), places: places)
            tdk_init_set_max_threads(info, UInt64(clamping: max(binding.source.maximumThreads, 1)))
            tdk_init_set_init_data(info, Unmanaged.passRetained(scan).toOpaque(), release)
        } catch {
            tdk_init_set_error(info, noted(error, binding))
        }
    }

    static let scan: tdk_scan_callback = { info, output in
        guard let data = tdk_function_get_init_data(info), let output else { return }
        let scan = Unmanaged<DuckDBScan>.fromOpaque(data).takeUnretainedValue()
        do {
            var chunk = DuckDBChunkWriter(output, columns: scan.binding.columns, places: scan.places)
            let rows = try scan.reader.fill(&chunk)
            precondition(rows >= 0 && rows <= chunk.capacity, "fill returns at most the chunk's capacity")
            if chunk.isOutOfMemory { throw TocsinError(.lake, "A text is too long, or memory ran out.") }
            tdk_data_chunk_set_size(output, UInt64(rows))
        } catch {
            tdk_function_set_error(info, noted(error, scan.binding))
        }
    }

    private static func noted(_ error: any Error, _ binding: Binding) -> String {
        let full = (error as? TocsinError).map(\.message)
        let text = full ?? "\(error)"
        binding.slot.sources.last.withLock { $0 = (text, error) }
        return text
    }
}
