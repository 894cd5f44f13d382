internal import TocsinCore

/// Writes the files of a roll into the staging folder: each on a thread of its own, a few at a time.
struct BronzeFileMaker {
    /// Each with its own connection to a database of one thread.
    private let connections: [DuckDBConnection]

    init(_ settings: DuckDBSettings, threads: Int) throws {
        var own = settings
        own.path = nil
        own.s3 = nil
        // One file is written by one thread, so that its rows keep their order.
        own.threads = 1
        let database = try DuckDB.open(own)
        connections = try (0..<max(1, threads)).map { _ in try database.connect(isPatient: true) }
    }

    /// A file that stands complete and forced to disk in the staging folder.
    struct Staged: Sendable {
        var path: String
        var bytes: Int64
        var partition: LakePartition
        var number: Int
    }

    /// - Parameter onStaged: told as each is complete; what it throws ends the making.
    func make(
        _ parts: [BronzePart], of columns: BronzeColumns, _ names: NameBook, in folder: String,
        onStaged: @escaping @Sendable (Int) throws -> Void
    ) async throws -> [Staged] {
        try await withThrowingTaskGroup(of: [(Int, Staged)].self) { group in
            for (worker, connection) in connections.enumerated() {
                group.addTask {
                    var made: [(Int, Staged)] = []
                    var index = worker
                    while index < parts.count {
                        let (part, path) = (parts[index], "\(folder)/\(index).parquet")
                        let source = BronzeRows(columnsOfRoll: columns, names: names, rows: part.rows)
                        let bytes = try await connection.run { connection in
                            try Self.write(source, to: path, as: "bronze_rows_\(worker)", connection)
                        }
                        try onStaged(index)
                        made.append(
                            (index, Staged(path: path, bytes: bytes, partition: part.partition, number: part.number)))
                        index += connections.count
                    }
                    return made
                }
            }
            var all: [(Int, Staged)] = []
            for try await made in group { all += made }
            return all.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private static func write(
        _ source: BronzeRows, to path: String, as name: String, _ connection: DuckDBConnection
    ) throws -> Int64 {
        try connection.register(source, as: name)
        defer { connection.unregister(name) }
        try connection.execute(
            "COPY (FROM \(name)()) TO \(DuckDB.literal(path)) (\(LakeTable.events.copyOptions), USE_TMP_FILE false)")
        try LocalFiles.sync(file: path)
        guard let bytes = LocalFiles.size(path) else { throw LocalFiles.failure("The file is gone", path) }
        return bytes
    }
}
