public import TocsinCore

extension SuiteReport {
    /// Every figure, those of single files included, as one object.
    public func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("suite", suite)
            json.key("tables")
            json.array { json in
                for table in tables {
                    json.object { json in
                        json.field("title", table.title)
                        json.key("rows")
                        json.array { json in for row in table.rows { Self.write(row, table, to: &json) } }
                        json.key("published")
                        json.array { json in for row in table.references { Self.write(row, table, to: &json) } }
                    }
                }
            }
            json.key("notes")
            json.array { json in for note in notes { json.value(note) } }
        }
    }

    private static func write(_ row: Row, _ table: Table, to json: inout JSONWriter) {
        json.object { json in
            json.field("name", row.name)
            json.field("part", row.part)
            for (figure, column) in zip(row.figures, table.columns) { json.field(column.name, figure ?? .nan) }
        }
    }
}
