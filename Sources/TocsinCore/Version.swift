/// The program's version, shown by `--version`, `/health` and the metrics.
public let tocsinVersion = "0.1.0"
