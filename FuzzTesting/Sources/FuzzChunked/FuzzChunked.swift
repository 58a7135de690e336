import FuzzDriver
import FuzzProperties

@_cdecl("FuzzChunked_main")
func start(_ count: CInt, _ arguments: FuzzArguments) -> CInt { fuzz(.chunked, count, arguments) }
