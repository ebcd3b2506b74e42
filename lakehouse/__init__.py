"""The storage engine: contracts, and files, leases, life, tables, upkeep above one another.

Belongs here: how a table is declared, written, read and swept. The engine knows store-days and capture hours, because
deletion and seals count by them (store_day.py). Does not belong here: any rule of a shopper, a shelf or an order, and
anything of Dagster.
"""
