import CDuckDB

/// Writes the rows of a MAP column, in rising order.
///
/// ```swift
/// chunk.withMap(8) { map in
///     map.begin(row)
///     let entry = map.append()
///     map.keys.setText("temperature", entry)
///     map.values.setDouble(21.5, entry)
/// }
/// ```
/// Rows that were not begun are undefined: begin each (without entries it is an empty map), or set it NULL.
/// Keys of one row must differ: DuckDB does not check them here.
public struct DuckDBMapWriter {
    private(set) var entries: DuckDBEntries
    public var keys: DuckDBVectorWriter
    public var values: DuckDBVectorWriter

    init(_ vector: tdk_vector, key: DuckDBType, value: DuckDBType, entries: DuckDBEntries) {
        self.entries = entries
        let child = tdk_list_vector_get_child(vector)
        keys = DuckDBVectorWriter(tdk_struct_vector_get_child(child, 0), type: key, capacity: entries.capacity)
        values = DuckDBVectorWriter(tdk_struct_vector_get_child(child, 1), type: value, capacity: entries.capacity)
    }

    /// Starts the map of a row.
    public mutating func begin(_ row: Int) { entries.begin(row) }

    /// Adds an entry to the row begun last; write its key and value at the returned place.
    public mutating func append() -> Int {
        let place = entries.append()
        if entries.capacity != keys.capacity {
            keys.grow(to: entries.capacity)
            values.grow(to: entries.capacity)
        }
        return place
    }

    mutating func finish() -> Bool { entries.finish() && !keys.isOutOfMemory && !values.isOutOfMemory }
}

/// Writes the rows of a LIST column, in rising order; as `DuckDBMapWriter`, with elements for keys and values.
public struct DuckDBListWriter {
    private(set) var entries: DuckDBEntries
    public var elements: DuckDBVectorWriter

    init(_ vector: tdk_vector, element: DuckDBType, entries: DuckDBEntries) {
        self.entries = entries
        elements = DuckDBVectorWriter(tdk_list_vector_get_child(vector), type: element, capacity: entries.capacity)
    }

    /// Starts the list of a row.
    public mutating func begin(_ row: Int) { entries.begin(row) }

    /// Adds an element to the row begun last; write it at the returned place.
    public mutating func append() -> Int {
        let place = entries.append()
        if entries.capacity != elements.capacity { elements.grow(to: entries.capacity) }
        return place
    }

    mutating func finish() -> Bool { entries.finish() && !elements.isOutOfMemory }
}

/// Where the entries of each row of a list or map begin and how many they are.
struct DuckDBEntries {
    private let vector: tdk_vector
    private let rows: UnsafeMutableBufferPointer<tdk_list_entry>
    private var row = -1
    private var count = 0
    private(set) var capacity: Int
    private var hasFailed = false

    init(_ vector: tdk_vector, rows: Int) {
        self.vector = vector
        let start = tdk_vector_get_data(vector)?.assumingMemoryBound(to: tdk_list_entry.self)
        self.rows = UnsafeMutableBufferPointer(start: start, count: start == nil ? 0 : rows)
        // The child is there with one entry a row from the start.
        capacity = rows
        hasFailed = tdk_list_vector_reserve(vector, UInt64(rows)) != 0
    }

    mutating func begin(_ row: Int) {
        precondition(row > self.row && row < rows.count, "rows of the chunk in rising order")
        self.row = row
        rows[row] = tdk_list_entry(offset: UInt64(count), length: 0)
    }

    mutating func append() -> Int {
        precondition(row >= 0, "begin comes before append")
        if count == capacity {
            // What was written so far is only kept when DuckDB knows of it.
            hasFailed = hasFailed || tdk_list_vector_set_size(vector, UInt64(count)) != 0
            capacity *= 2
            hasFailed = hasFailed || tdk_list_vector_reserve(vector, UInt64(capacity)) != 0
        }
        rows[row].length += 1
        count += 1
        return count - 1
    }

    func finish() -> Bool { !hasFailed && tdk_list_vector_set_size(vector, UInt64(count)) == 0 }
}
