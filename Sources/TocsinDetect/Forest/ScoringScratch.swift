/// Memory that scoring uses and the caller keeps, so that a call with no more features than before allocates nothing.
public struct ScoringScratch: Sendable {
    /// The scaled rows of a tile, column after column, and one row by itself.
    var columns: [Float] = []
    var row: [Float] = []
    var ranks: [UInt16] = []
    var sums: [UInt32] = []

    public init() {}

    mutating func prepare(width: Int, tile: Int) {
        if columns.count < tile * width {
            columns = [Float](repeating: 0, count: tile * width)
            ranks = [UInt16](repeating: 0, count: tile * width)
        }
        if row.count < width { row = [Float](repeating: 0, count: width) }
        if sums.count < tile { sums = [UInt32](repeating: 0, count: tile) }
    }
}
