internal import TocsinCore
internal import TocsinLake
internal import TocsinMeasure

/// The same job as people write it with pandas: sort, deduplicate, one row a reading, flags, hourly aggregates.
struct PandasPeer {
    let version: String
    private let python: String

    private static let script = """
        import json, sys, time
        import pandas as pd

        source, folder = sys.argv[1:3]
        start = time.perf_counter()
        messages = pd.read_parquet(source)
        key = ["sensor", "time_ns", "event_key"]
        messages = messages.sort_values(key + ["received"]).drop_duplicates(key)
        messages["pair"] = [list(dict(readings).items()) for readings in messages["readings"]]
        rows = messages.drop(columns=["payload", "readings"]).explode("pair")
        rows["metric"] = rows["pair"].str[0]
        rows["value"] = rows["pair"].str[1].astype(float)
        rows["unit"] = [dict(units).get(metric) for units, metric in zip(rows["units"], rows["metric"])]
        rows["is_late"] = rows["received"] - rows["time"] > pd.Timedelta(minutes=5)
        rows["quality"] = ""
        wrong = (rows["metric"] == "temperature") & ((rows["value"] < -50) | (rows["value"] > 60))
        rows.loc[wrong, "quality"] = "out_of_range"
        rows = rows.drop(columns=["pair", "units"]).sort_values(["sensor", "time_ns"])
        rows.to_parquet(folder + "/pandas-silver.parquet", compression="zstd")
        hours = rows[rows["quality"] == ""].assign(hour=rows["time"].dt.floor("h"))
        hours = hours.groupby(["sensor", "metric", "hour"])["value"]
        hours = hours.agg(["count", "mean", "min", "max", "sum", "std", "first", "last"]).reset_index()
        hours.to_parquet(folder + "/pandas-gold.parquet")
        print(json.dumps({"rows": len(rows), "seconds": time.perf_counter() - start}, separators=(",", ":")))
        """

    /// - Throws: `TocsinError(.usage)` where it is no Python, or one without pandas and pyarrow.
    init(python: String) throws(TocsinError) {
        self.python = python
        let check = "import pandas, pyarrow; print(pandas.__version__)"
        let answer = try Self.run(python, ["-c", check])
        version = String(answer.prefix { !$0.isWhitespace })
    }

    /// One process: its start and its imports are not counted.
    func run(_ input: String, output folder: String, _ figure: inout ETLFigure) throws(TocsinError) {
        let answer = try Self.run(python, ["-c", Self.script, input, folder])
        guard let rows = FlatJSON.number("rows", in: answer), let seconds = FlatJSON.number("seconds", in: answer),
            seconds > 0
        else { throw TocsinError(.lake, "the pandas job said nothing of its time", place: python) }
        figure.rows = Int(clampingDouble: rows)
        figure.rowsPerSecond.add(rows / seconds)
    }

    private static func run(_ python: String, _ arguments: [String]) throws(TocsinError) -> String {
        let child = try ChildProcess(program: python, arguments: arguments)
        let answer = String(decoding: child.readAll(), as: UTF8.self)
        let status = child.wait().status
        guard status == 0 else {
            throw TocsinError(
                .usage, "the pandas job ended with \(status)", place: python,
                remedy: "its own message stands above; it needs `pip install pandas pyarrow`")
        }
        return answer
    }
}
