"""The storage engine: contracts, writer, reader, maintenance.

Belongs here: how a table is declared, written, read and swept. Does not belong here: any rule of a store, a
shopper or an order, and anything of Dagster.
"""
