import FuzzDriver
import FuzzProperties

@_cdecl("FuzzResponseHead_main")
func start(_ count: CInt, _ arguments: FuzzArguments) -> CInt { fuzz(.responseHead, count, arguments) }
