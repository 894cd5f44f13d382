internal import TocsinCore
internal import TocsinDetect

/// Rows to classify or to predict from: ADBench, smoke, occupancy, turbofan engines.
enum TableReaders {
    static func outlierTables(_ path: String) throws -> [LabelledSeries] {
        let given = TextFile.exists("\(path)/adbench") ? "\(path)/adbench" : path
        let files = TextFile.names(in: given).filter { $0.hasSuffix(".csv") || $0.hasSuffix(".csv.gz") }
        guard !files.isEmpty else {
            throw TocsinError(
                .file, "no .csv here", place: given,
                remedy: "give the folder adbench itself or the data folder that holds it")
        }
        return try files.map { name in
            let place = "\(given)/\(name)"
            let table = try NumberTable(place)
            let labels = try table.column("label", of: place)
            let features = table.names.indices.filter { table.names[$0] != "label" }
            return LabelledSeries(
                name: SuiteFolder.stem(name), group: "adbench", columns: features.map { table.columns[$0] },
                columnNames: features.map { table.names[$0] }, labels: labels.map { $0 > 0.5 })
        }
    }

    /// The sensor columns of every table in the folder smoke; `groups` are the recordings (the file's name where there is
    /// no such column).
    static func smoke(_ path: String) throws -> LabelledTable {
        let isTable = { (name: String) in name.hasSuffix(".csv") || name.hasSuffix(".csv.gz") }
        let folder = TextFile.exists("\(path)/smoke") ? "\(path)/smoke" : path
        let files = isTable(path) ? [path] : TextFile.names(in: folder).filter(isTable).map { "\(folder)/\($0)" }
        var whole: LabelledTable?
        for file in files {
            let table = try NumberTable(file)
            guard table.names.contains("Fire Alarm") else { continue }
            let recordings =
                table.words["recording"] ?? (try? table.column("recording", of: file).map { "\($0)" })
                ?? Array(repeating: SuiteFolder.stem(file), count: table.rowCount)
            // They identify the recording or are the answer.
            let hidden =
                table.names.filter { $0.isEmpty || IdentifyingColumns.isNeverFeature($0) } + [
                    "recording", "Fire Alarm",
                ]
            let part = try labelled(
                table, name: "smoke", target: "Fire Alarm", hidden: hidden, groups: recordings, of: file)
            guard whole.map({ $0.columnNames == part.columnNames }) ?? true else {
                throw TocsinError(
                    .format, "other columns than in the file before it", place: file,
                    remedy: "keep recordings of other sensors in a folder of their own")
            }
            whole?.values += part.values
            whole?.targets += part.targets
            whole?.groups += part.groups
            whole = whole ?? part
        }
        guard let whole else {
            throw TocsinError(
                .file, "there is no table with a column Fire Alarm: this is no folder of the suite smoke", place: path,
                remedy: "give the folder smoke itself or the data folder that holds it")
        }
        return whole
    }

    static func occupancy(_ path: String) throws -> (training: LabelledTable, test: LabelledTable) {
        let folder = try SuiteFolder(path, name: "occupancy", marker: "datatraining.csv")
        func read(_ name: String) throws -> LabelledTable {
            let file = "\(folder.path)/\(name).csv"
            let table = try NumberTable(file)
            return try labelled(
                table, name: name, target: "Occupancy", hidden: ["sno", "date", "Occupancy"],
                groups: Array(repeating: name, count: table.rowCount), of: file)
        }
        return (try read("datatraining"), try read("datatest"))
    }

    /// Targets are the cycles left, counted from each unit's last row; `groups` are the units, rows in order of cycles.
    static func turbofan(_ path: String) throws -> (training: LabelledTable, test: LabelledTable, remaining: [Double]) {
        let folder = try SuiteFolder(path, name: "cmapss", marker: "RUL_FD001.txt")
        func read(_ name: String) throws -> LabelledTable {
            let file = TextFile.plainOrPacked("\(folder.path)/\(name)_FD001.csv")
            var table = try NumberTable(file)
            let units = try table.column("unit", of: file)
            let cycles = try table.column("cycle", of: file)
            var last: [Double: Double] = [:]
            for (unit, cycle) in zip(units, cycles) { last[unit] = max(last[unit] ?? 0, cycle) }
            table.names.append("left")
            table.columns.append(zip(units, cycles).map { (last[$0] ?? 0) - $1 })
            return try labelled(
                table, name: name, target: "left", hidden: ["unit", "left"],
                groups: units.map { "\(Int(exactly: $0) ?? 0)" }, of: file)
        }
        let remaining = try NumberTable("\(folder.path)/RUL_FD001.txt").columns[0]
        return (try read("train"), try read("test"), remaining)
    }

    private static func labelled(
        _ table: NumberTable, name: String, target: String, hidden: [String], groups: [String], of file: String
    ) throws -> LabelledTable {
        let features = table.names.indices.filter { !hidden.contains(table.names[$0]) }
        var values: [Double] = []
        values.reserveCapacity(features.count * table.rowCount)
        for row in 0..<table.rowCount { for feature in features { values.append(table.columns[feature][row]) } }
        return LabelledTable(
            name: name, columnNames: features.map { table.names[$0] }, values: values,
            targets: try table.column(target, of: file), groups: groups)
    }
}
