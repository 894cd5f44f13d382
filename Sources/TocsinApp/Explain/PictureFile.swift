#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
public import TocsinChart
public import TocsinCore

/// Writes charts to files: SVG by itself, PNG where `rsvg-convert` (librsvg) is installed.
public enum PictureFile {
    private enum Format { case svg, png }
    private static let converter = "rsvg-convert"

    /// Call before long work, so that a wrong name is told at once.
    /// - Throws: `TocsinError(.usage)` when the name ends in neither `.svg` nor `.png`.
    public static func check(_ path: String) throws(TocsinError) { _ = try format(of: path) }

    /// - Parameter path: ends in `.svg` or `.png`; `-` is SVG to standard output. An old file is written over.
    /// - Throws: `TocsinError` with the remedy when the file cannot be written, or a PNG not be made.
    public static func write(_ chart: Chart, to path: String) throws(TocsinError) {
        let svg = Array(chart.svg().utf8)
        switch try format(of: path) {
        case .svg:
            let file = path == "-" ? FileWriter.standardOutput : try FileWriter(path: path)
            try file.write(svg)
        case .png:
            let source = path + ".svg"
            defer { unlink(source) }
            try FileWriter(path: source).write(svg)
            try convert(source, to: path)
        }
    }

    private static func format(of path: String) throws(TocsinError) -> Format {
        let name = path.lowercased()
        if path == "-" || name.hasSuffix(".svg") { return .svg }
        if name.hasSuffix(".png") { return .png }
        throw TocsinError(
            .usage, "a picture is SVG or PNG", place: path, remedy: "give a name that ends in .svg or .png")
    }

    private static func convert(_ source: String, to path: String) throws(TocsinError) {
        // Twice the size, for screens with small pixels. `./`: a name may begin with a dash.
        let words = [converter, "--zoom", "2", "--output", plain(path), plain(source)]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        let failure = posix_spawnp(&process, converter, nil, nil, &arguments, environ)
        guard failure == 0 else {
            throw TocsinError(
                .usage,
                "a PNG needs the program \(converter), which cannot be started: \(String(cString: strerror(failure)))",
                place: path, remedy: "install it (Debian: apt install librsvg2-bin), or give a name that ends in .svg")
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else {
            throw TocsinError(
                .file, "\(converter) could not make the PNG", place: path,
                remedy: "its message stands above; or give a name that ends in .svg")
        }
    }

    private static func plain(_ path: String) -> String { path.hasPrefix("/") ? path : "./" + path }
}
